// Every witness of every finding, on Linux: lint's own rulesets and, when ../shared is there, real
// files of many kinds. Linux and the engine's replay have to agree on verdicts, states, entries and
// counters of every packet.
//
// Where the text leaves something open (a rate limit before the verdict), the kernel decides for
// itself: counters are left out there, everything else stays compared.
#include "analyzer/lint.hpp"
#include "analyzer/replay.hpp"
#include "corpus_script.hpp"
#include "ir/bind.hpp"

namespace postern::kernel {
namespace {

using Json = nlohmann::json;

LintReport lint_file(const std::filesystem::path& path) {
  const auto source = std::make_shared<const SourceFile>(path.filename().string(), read_text(path));
  const auto bound = read_ruleset(source);
  if (!bound) throw std::runtime_error(bound.error().front().message);
  return lint(*bound);
}

void leave_out_counters(Json& document) {
  document.erase("counters");
  for (Json& packet : document["packets"]) packet.erase("rules");
}

// Runs the witness on Linux and in the engine.
void expect_agreement(const Finding& finding) {
  const Scenario& scenario = *finding.answer->scenario;
  const std::string what = finding.id + " " + finding.place.text + ": " + finding.answer->query;
  const auto replayed = replay(scenario);
  ASSERT_TRUE(replayed) << what << ": " << replayed.error().message;
  ASSERT_EQ(replayed->unmodelled, "") << what;
  const auto document = run(scenario);
  ASSERT_TRUE(document) << what << ": " << document.error();
  Json linux_saw = *document, engine_saw = to_json(replayed->report);
  ASSERT_EQ(linux_saw["packets"].size(), finding.answer->witness.size()) << what;
  if (!replayed->choices.empty()) {
    leave_out_counters(linux_saw);
    leave_out_counters(engine_saw);
  }
  expect_same(linux_saw, engine_saw, what);
}

// How many witnesses the file's findings have, all of them run.
std::size_t expect_all_agree(const std::filesystem::path& path) {
  std::size_t witnesses = 0;
  for (const Finding& finding : lint_file(path).findings) {
    if (!finding.answer || finding.answer->witness.empty()) continue;
    expect_agreement(finding);
    ++witnesses;
  }
  return witnesses;
}

class OwnWitness : public CorpusTest {};

TEST_P(OwnWitness, HoldsOnLinux) {
  const std::size_t witnesses = expect_all_agree(corpus_path(std::string(GetParam()) + ".rules"));
  const bool clean = std::string_view(GetParam()) == "notrack/test3" ||
                     std::string_view(GetParam()).starts_with("p2p/both");
  if (!clean) {
    EXPECT_GT(witnesses, 0U);
  }
}

INSTANTIATE_TEST_SUITE_P(Corpus, OwnWitness, CorpusTest::rulesets(), CorpusTest::test_name);

class RealWitness : public KernelTest, public testing::WithParamInterface<const char*> {};

TEST_P(RealWitness, HoldsOnLinux) {
  const auto directory = shared_directory();
  if (!directory) return;
  const auto path = *directory / "corpus" / "real" / (std::string(GetParam()) + ".rules");
  EXPECT_GT(expect_all_agree(path), 0U) << "no finding of this file has a witness any more";
}

// Files that the kernel here takes as they are, of every kind that has witnesses.
INSTANTIATE_TEST_SUITE_P(
    Shared, RealWitness,
    testing::Values("desktop__andreotec_iptables-save.v4", "desktop__pub_nanajo-v6.v6",
                    "docker__isem_containern-iptables-save.topos1.v4",
                    "docker__net_corny-docker-iptables-save.topos4.1.v4",
                    "found-online__net_found-online-in-bad-schmiedeberg.de-iptables-save.txt.v4",
                    "found-online__net_found-online-solaris.unsoft.hu-iptables-save.txt.v4",
                    "fws__fws_real-world-blog-a-unikernel-firewall-for-qubesos-iptables-save.v4",
                    "lab__batfish_networks-iptables-firewall-iptables-z2-firewall.v4.v4",
                    "lab__net_psa-2016-iptables-save.2016-07-07.v4",
                    "lab__net_psa-team-a-iptables-save.2016-01-27.v4",
                    "lab__net_psa-team-a-iptables-save.2016-03-02.v4",
                    "lab__net_psa-team-b-iptables-save.2015-11-19.v4",
                    "lab__net_psa-team-c-iptables-save.2015-12-01.v4",
                    "libvirt__pub_openshift-kvm-two-bridges.v4",
                    "nas__net_synology-diskstation-ds414-iptables-save-jun-2015.v4",
                    "netfilter-tests__iptables-tests_ipt-restore-dumps-ip6tables.dump.v6",
                    "openstack__sefl_root-compute1.v4",
                    "research__isem_LOFT-Examples-OF-conv-test-iptables-save.v4",
                    "server__pub_dns-server-opennic-tier2.v4",
                    "server__pub_dns-server-unbound-recent-portscan.v4",
                    "server__pub_proterozoic-1.4.10-v4.v4",
                    "shorewall__net_sqrl-shorewall-2015-aug-iptables-save.v4"),
    [](const auto& row) {
      std::string name(row.param);
      for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
      return name;
    });

}  // namespace
}  // namespace postern::kernel
