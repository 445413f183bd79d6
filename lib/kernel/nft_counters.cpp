// Tables made by iptables-nft: each rule holds a counter expression, each base chain counts what
// fell to its policy.
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "kernel/counters.hpp"

namespace postern::kernel {
namespace {

// The counter expression among a rule's expressions; zeros where there is none.
Counters counter_of(const nlattr* expressions) {
  Counters counters;
  for_each_nested(expressions, [&](const nlattr& element) {
    const Attributes expression(&element);
    if (expression.text(NFTA_EXPR_NAME) != "counter") return;
    const Attributes data(expression[NFTA_EXPR_DATA]);
    counters = {data.be64(NFTA_COUNTER_PACKETS), data.be64(NFTA_COUNTER_BYTES)};
  });
  return counters;
}

class NftCounters : public CounterSource {
 public:
  NftCounters(Channel channel, Family family, std::vector<TableName> tables)
      : channel_(std::move(channel)),
        family_(family == Family::kIpv4 ? NFPROTO_IPV4 : NFPROTO_IPV6),
        tables_(std::move(tables)) {}

  Outcome<std::vector<CounterReading>> read() override {
    std::vector<CounterReading> readings;
    for (TableName table : tables_) {
      if (auto done = read_rules(table, readings); !done) return tl::unexpected(done.error());
    }
    if (auto done = read_policies(readings); !done) return tl::unexpected(done.error());
    return readings;
  }

 private:
  Outcome<void> read_rules(TableName table, std::vector<CounterReading>& to) {
    Message request(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETRULE, 0, family_);
    request.text(NFTA_RULE_TABLE, text(table));
    std::map<std::string, std::uint32_t> numbers;
    return channel_.dump(request, [&](const nlmsghdr& message) {
      const Attributes rule(message);
      if (rule.text(NFTA_RULE_TABLE) != text(table)) return;
      const std::string chain = rule.text(NFTA_RULE_CHAIN);
      to.push_back({{table, chain, ++numbers[chain]}, counter_of(rule[NFTA_RULE_EXPRESSIONS])});
    });
  }

  Outcome<void> read_policies(std::vector<CounterReading>& to) {
    Message request(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN, 0, family_);
    return channel_.dump(request, [&](const nlmsghdr& message) {
      const Attributes chain(message);
      if (!chain.has(NFTA_CHAIN_POLICY)) return;
      for (TableName table : tables_) {
        if (chain.text(NFTA_CHAIN_TABLE) != text(table)) continue;
        const Attributes counters(chain[NFTA_CHAIN_COUNTERS]);
        to.push_back({{table, chain.text(NFTA_CHAIN_NAME), 0},
                      {counters.be64(NFTA_COUNTER_PACKETS), counters.be64(NFTA_COUNTER_BYTES)}});
      }
    });
  }

  Channel channel_;
  std::uint8_t family_;
  std::vector<TableName> tables_;
};

}  // namespace

Outcome<std::unique_ptr<CounterSource>> nft_counters(Family family, std::vector<TableName> tables) {
  auto channel = Channel::open();
  if (!channel) return tl::unexpected(channel.error());
  return std::make_unique<NftCounters>(std::move(*channel), family, std::move(tables));
}

}  // namespace postern::kernel
