// The nf_tables messages that make our chains, and NFLOG messages -> sightings. The log prefix is
// two letters: the stage and the state. Covered by tests/kernel/harness_test.cpp.
#include "kernel/observer.hpp"

#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>

#include <array>
#include <climits>

namespace postern::kernel {
namespace {

constexpr std::string_view kTable = "postern_observer";
constexpr std::uint16_t kGroup = 0x9057;     // of NFLOG; rulesets in the wild use small numbers
constexpr int kAfterLookup = -199;           // conntrack looks up at -200
constexpr int kAfterDefragmentation = -350;  // between defragmentation (-400) and raw (-300)

// Bits of the `ct state` expression (NF_CT_STATE_*): 1 << (ctinfo % 3 + 1), invalid 1,
// untracked 64.
struct Look {
  char letter;  // stands in the log prefix
  std::uint32_t state;
  int direction;  // 0, 1; -1: not asked
};
constexpr std::array<Look, 7> kLooks{{{'N', 8, -1},
                                      {'E', 2, 0},
                                      {'e', 2, 1},
                                      {'R', 4, 0},
                                      {'r', 4, 1},
                                      {'I', 1, -1},
                                      {'U', 64, -1}}};

struct BaseChain {
  std::string_view name;
  std::uint32_t hook;  // NF_INET_*
  int priority;
  char stage;  // 'f' first, 'c' conntrack, 'l' last
};
constexpr std::array<BaseChain, 12> kBaseChains{{
    {"prerouting-first", NF_INET_PRE_ROUTING, INT_MIN, 'f'},
    {"prerouting-ct", NF_INET_PRE_ROUTING, kAfterLookup, 'c'},
    {"prerouting-last", NF_INET_PRE_ROUTING, INT_MAX, 'l'},
    {"input-first", NF_INET_LOCAL_IN, INT_MIN, 'f'},
    {"input-last", NF_INET_LOCAL_IN, INT_MAX, 'l'},
    {"forward-first", NF_INET_FORWARD, INT_MIN, 'f'},
    {"forward-last", NF_INET_FORWARD, INT_MAX, 'l'},
    {"output-first", NF_INET_LOCAL_OUT, INT_MIN, 'f'},
    {"output-ct", NF_INET_LOCAL_OUT, kAfterLookup, 'c'},
    {"output-last", NF_INET_LOCAL_OUT, INT_MAX, 'l'},
    {"postrouting-first", NF_INET_POST_ROUTING, INT_MIN, 'f'},
    {"postrouting-last", NF_INET_POST_ROUTING, INT_MAX, 'l'},
}};
constexpr BaseChain kProbeChain{"probe", NF_INET_LOCAL_OUT, kAfterDefragmentation, 'p'};

std::uint8_t protocol_family(Family family) {
  return family == Family::kIpv4 ? NFPROTO_IPV4 : NFPROTO_IPV6;
}

Message nft_message(int message, std::uint16_t flags, Family family) {
  return Message(static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | message), flags,
                 protocol_family(family));
}

Message new_table(Family family) {
  Message message = nft_message(NFT_MSG_NEWTABLE, NLM_F_CREATE, family);
  message.text(NFTA_TABLE_NAME, kTable);
  return message;
}

Message new_chain(Family family, std::string_view name) {
  Message message = nft_message(NFT_MSG_NEWCHAIN, NLM_F_CREATE, family);
  message.text(NFTA_CHAIN_TABLE, kTable).text(NFTA_CHAIN_NAME, name);
  return message;
}

Message new_base_chain(Family family, const BaseChain& chain) {
  Message message = new_chain(family, chain.name);
  message.nest(NFTA_CHAIN_HOOK, [&](Message& hook) {
    hook.be32(NFTA_HOOK_HOOKNUM, chain.hook);
    hook.be32(NFTA_HOOK_PRIORITY, static_cast<std::uint32_t>(chain.priority));
  });
  message.text(NFTA_CHAIN_TYPE, "filter").be32(NFTA_CHAIN_POLICY, NF_ACCEPT);
  return message;
}

// The expressions of a rule, added one by one.
class RuleBuilder {
 public:
  explicit RuleBuilder(Message& list) : list_(list) {}

  void expect_ct(std::uint32_t key, std::span<const std::uint8_t> value) {
    element("ct",
            [&](Message& data) { data.be32(NFTA_CT_DREG, NFT_REG_1).be32(NFTA_CT_KEY, key); });
    element("cmp", [&](Message& data) {
      data.be32(NFTA_CMP_SREG, NFT_REG_1).be32(NFTA_CMP_OP, NFT_CMP_EQ);
      data.nest(NFTA_CMP_DATA, [&](Message& wanted) { wanted.bytes(NFTA_DATA_VALUE, value); });
    });
  }
  void log(std::string_view prefix) {
    element("log", [&](Message& data) {
      data.be16(NFTA_LOG_GROUP, kGroup).text(NFTA_LOG_PREFIX, prefix);
    });
  }
  void verdict(int code, std::string_view chain = {}) {
    element("immediate", [&](Message& data) {
      data.be32(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
      data.nest(NFTA_IMMEDIATE_DATA, [&](Message& value) {
        value.nest(NFTA_DATA_VERDICT, [&](Message& verdict) {
          verdict.be32(NFTA_VERDICT_CODE, static_cast<std::uint32_t>(code));
          if (!chain.empty()) verdict.text(NFTA_VERDICT_CHAIN, chain);
        });
      });
    });
  }

 private:
  void element(std::string_view name, const std::function<void(Message&)>& data) {
    list_.nest(NFTA_LIST_ELEM, [&](Message& expression) {
      expression.text(NFTA_EXPR_NAME, name);
      expression.nest(NFTA_EXPR_DATA, data);
    });
  }
  Message& list_;
};

Message new_rule(Family family, std::string_view chain,
                 const std::function<void(RuleBuilder&)>& content) {
  Message message = nft_message(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, family);
  message.text(NFTA_RULE_TABLE, kTable).text(NFTA_RULE_CHAIN, chain);
  message.nest(NFTA_RULE_EXPRESSIONS, [&](Message& list) {
    RuleBuilder builder(list);
    content(builder);
  });
  return message;
}

Message flush_chain(Family family, std::string_view chain) {
  Message message = nft_message(NFT_MSG_DELRULE, 0, family);
  message.text(NFTA_RULE_TABLE, kTable).text(NFTA_RULE_CHAIN, chain);
  return message;
}

Message flush_table(Family family) {
  Message message = nft_message(NFT_MSG_DELRULE, 0, family);
  message.text(NFTA_RULE_TABLE, kTable);
  return message;
}

// One rule for each (state, direction): it logs with the letter and ends the chain of looks.
void add_looks(Family family, char stage, bool tracking, std::vector<Message>& messages) {
  const std::string chain{'l', 'o', 'o', 'k', '-', stage};
  if (!tracking) {
    messages.push_back(new_rule(family, chain, [&](RuleBuilder& rule) {
      rule.log(std::string{stage, '-'});
    }));
    return;
  }
  for (const Look& look : kLooks) {
    messages.push_back(new_rule(family, chain, [&](RuleBuilder& rule) {
      std::array<std::uint8_t, 4> state{};
      state[0] = static_cast<std::uint8_t>(look.state);  // registers are in host order
      if constexpr (std::endian::native == std::endian::big) std::swap(state[0], state[3]);
      rule.expect_ct(NFT_CT_STATE, state);
      if (look.direction >= 0) {
        const std::array<std::uint8_t, 1> direction{static_cast<std::uint8_t>(look.direction)};
        rule.expect_ct(NFT_CT_DIRECTION, direction);
      }
      rule.log(std::string{stage, look.letter});
      rule.verdict(NFT_RETURN);
    }));
  }
}

Outcome<void> configure_log(Channel& log) {
  const auto type = static_cast<std::uint16_t>(NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG);
  Message bind(type, 0, AF_UNSPEC, kGroup);
  nfulnl_msg_config_cmd command{NFULNL_CFG_CMD_BIND};
  bind.bytes(NFULA_CFG_CMD, {reinterpret_cast<const std::uint8_t*>(&command), sizeof command});
  if (auto done = log.request(bind); !done) return done;
  Message settings(type, 0, AF_UNSPEC, kGroup);
  nfulnl_msg_config_mode mode{};
  mode.copy_mode = NFULNL_COPY_PACKET;
  mode.copy_range = __builtin_bswap32(0xffff);
  if constexpr (std::endian::native == std::endian::big) mode.copy_range = 0xffff;
  settings.bytes(NFULA_CFG_MODE, {reinterpret_cast<const std::uint8_t*>(&mode), sizeof mode});
  settings.be32(NFULA_CFG_QTHRESH, 1);  // hand over every packet at once
  settings.be32(NFULA_CFG_NLBUFSIZ, 1 << 17);
  return log.request(settings);
}

Hook hook_of(std::uint8_t number) {
  switch (number) {
    case NF_INET_PRE_ROUTING:
      return Hook::kPrerouting;
    case NF_INET_LOCAL_IN:
      return Hook::kInput;
    case NF_INET_FORWARD:
      return Hook::kForward;
    case NF_INET_LOCAL_OUT:
      return Hook::kOutput;
    default:
      return Hook::kPostrouting;
  }
}

void set_state(char letter, Sighting& sighting) {
  switch (letter) {
    case 'N':
      sighting.state = CtState::kNew;
      break;
    case 'E':
    case 'e':
      sighting.state = CtState::kEstablished;
      break;
    case 'R':
    case 'r':
      sighting.state = CtState::kRelated;
      break;
    case 'I':
      sighting.state = CtState::kInvalid;
      return;
    case 'U':
      sighting.state = CtState::kUntracked;
      return;
    default:
      return;
  }
  sighting.reply_direction = letter == 'e' || letter == 'r';
}

// An attribute of netlink holds 65531 bytes: of what is behind them in a packet only its length
// tells, and zeros stand there.
void complete(Bytes& packet) {
  constexpr std::size_t kMostTold = 65535 - NLA_HDRLEN;
  if (packet.size() != kMostTold) return;
  const bool v4 = packet[0] >> 4 == 4;
  const std::size_t counted = packet[v4 ? 2 : 4] * 256U + packet[v4 ? 3 : 5];
  packet.resize(std::max(kMostTold, counted + (v4 ? 0 : 40)));
}

Sighting sighting_of(const nlmsghdr& message) {
  const Attributes attributes(message);
  Sighting sighting;
  const auto head = attributes.bytes(NFULA_PACKET_HDR);
  if (head.size() >= 3) sighting.hook = hook_of(head[2]);
  const std::string prefix = attributes.text(NFULA_PREFIX);
  if (prefix.size() >= 2) {
    sighting.stage = prefix[0] == 'f'   ? Sighting::Stage::kFirst
                     : prefix[0] == 'c' ? Sighting::Stage::kConntrack
                     : prefix[0] == 'l' ? Sighting::Stage::kLast
                                        : Sighting::Stage::kProbe;
    set_state(prefix[1], sighting);
  }
  sighting.in_index = attributes.be32(NFULA_IFINDEX_INDEV);
  sighting.out_index = attributes.be32(NFULA_IFINDEX_OUTDEV);
  sighting.mark = attributes.be32(NFULA_MARK);
  const auto payload = attributes.bytes(NFULA_PAYLOAD);
  sighting.bytes.assign(payload.begin(), payload.end());
  complete(sighting.bytes);
  return sighting;
}

}  // namespace

Outcome<Observer> Observer::create() {
  auto control = Channel::open();
  if (!control) return tl::unexpected(control.error());
  auto log = Channel::open();
  if (!log) return tl::unexpected(log.error());
  if (auto done = configure_log(*log); !done) return tl::unexpected("NFLOG: " + done.error());
  std::vector<Message> messages;
  for (Family family : {Family::kIpv4, Family::kIpv6}) {
    messages.push_back(new_table(family));
    for (char stage : {'f', 'c', 'l'}) {
      messages.push_back(new_chain(family, std::string{'l', 'o', 'o', 'k', '-', stage}));
    }
    for (const BaseChain& chain : kBaseChains) messages.push_back(new_base_chain(family, chain));
  }
  if (auto done = control->transaction(messages); !done) return tl::unexpected(done.error());
  return Observer(std::move(*control), std::move(*log));
}

Outcome<void> Observer::arm(Family family, bool tracking) {
  std::vector<Message> messages;
  messages.push_back(flush_table(family));
  for (char stage : {'f', 'c', 'l'}) add_looks(family, stage, tracking, messages);
  for (const BaseChain& chain : kBaseChains) {
    messages.push_back(new_rule(family, chain.name, [&](RuleBuilder& rule) {
      rule.verdict(NFT_JUMP, std::string{'l', 'o', 'o', 'k', '-', chain.stage});
    }));
    if (chain.hook == NF_INET_LOCAL_IN && chain.stage == 'l') {
      messages.push_back(
          new_rule(family, chain.name, [](RuleBuilder& rule) { rule.verdict(NF_DROP); }));
    }
  }
  return control_.transaction(messages);
}

Outcome<void> Observer::disarm() {
  std::vector<Message> messages;
  for (Family family : {Family::kIpv4, Family::kIpv6}) messages.push_back(flush_table(family));
  return control_.transaction(messages);
}

Outcome<void> Observer::set_probe(Family family, bool placed) {
  std::vector<Message> messages;
  if (placed) {
    messages.push_back(new_base_chain(family, kProbeChain));
    messages.push_back(new_rule(family, kProbeChain.name, [](RuleBuilder& rule) {
      rule.log("p-");
      rule.verdict(NF_DROP);
    }));
  } else {
    messages.push_back(flush_chain(family, kProbeChain.name));
    Message remove = nft_message(NFT_MSG_DELCHAIN, 0, family);
    remove.text(NFTA_CHAIN_TABLE, kTable).text(NFTA_CHAIN_NAME, kProbeChain.name);
    messages.push_back(std::move(remove));
  }
  return control_.transaction(messages);
}

void Observer::read(std::vector<Sighting>& to, int wait_ms) {
  log_.drain([&](const nlmsghdr& message) { to.push_back(sighting_of(message)); }, wait_ms);
}

}  // namespace postern::kernel
