// Which rules are rules: random words against `iptables-legacy-restore --test`, both ways.
#include <cstdlib>
#include <random>

#include "../unit/ir_texts.hpp"
#include "kernel/system.hpp"
#include "kernel_fixture.hpp"
#include "tests/support/seed.hpp"

namespace postern::kernel {
namespace {

// Pieces of rules, good and bad. None where postern is on purpose more lenient than the tool
// ("-s ! x") or stricter ("-F").
constexpr std::string_view kPieces[] = {"-s 192.0.2.1",
                                        "-s 10/8",
                                        "! -s 192.0.2.0/24",
                                        "-s 192.0.2.1,192.0.2.2",
                                        "! -s 192.0.2.1,192.0.2.2",
                                        "-d 0/0",
                                        "! -d 0.0.0.0/0",
                                        "--source 192.0.2.1",
                                        "-i lo",
                                        "! -i eth+",
                                        "-i +",
                                        "-o eth0",
                                        "-i 0123456789abcdef",
                                        "-p tcp",
                                        "-p udp",
                                        "! -p tcp",
                                        "-p 6",
                                        "-p all",
                                        "! -p 0",
                                        "-p 256",
                                        "-p foo",
                                        "--protocol udp",
                                        "-f",
                                        "! -f",
                                        "--fragments",
                                        "-m tcp",
                                        "-m udp",
                                        "-m conntrack",
                                        "-m state",
                                        "-m limit",
                                        "-m comment",
                                        "--match tcp",
                                        "--dport 80",
                                        "--dport 80:",
                                        "--dport :80",
                                        "--dport 65536",
                                        "--dport http",
                                        "--dport=80",
                                        "--dport ssh:http",
                                        "! --dport 22",
                                        "--sport 1:2",
                                        "--destination-port 5",
                                        "--dpo 5",
                                        "--d 5",
                                        "--tcp-flags SYN,ACK SYN",
                                        "--tcp-flags ALL NONE",
                                        "--tcp-flags FOO BAR",
                                        "--tcp-flags SYN",
                                        "--syn",
                                        "! --syn",
                                        "--tcp-option 8",
                                        "--ctstate NEW",
                                        "--ctstate NEW,ESTABLISHED",
                                        "! --ctstate INVALID",
                                        "--ctstate FOO",
                                        "--state NEW",
                                        "--ctproto tcp",
                                        "--ctorigsrc 192.0.2.1",
                                        "--ctstatus ASSURED",
                                        "--ctdir ORIGINAL",
                                        "--ctdir FOO",
                                        "--ctexpire 1:5",
                                        "--limit 3/sec",
                                        "--limit 3",
                                        "--limit foo",
                                        "--limit-burst 5",
                                        "! --limit 3/s",
                                        "--comment x",
                                        "--comment \"a b\"",
                                        "-j ACCEPT",
                                        "-j DROP",
                                        "-j u",
                                        "-j nochain",
                                        "-j INPUT",
                                        "-g u",
                                        "-gu",
                                        "-g ACCEPT",
                                        "-g nochain",
                                        "-j RETURN",
                                        "-j REJECT",
                                        "--reject-with tcp-reset",
                                        "--reject-with foo",
                                        "-j LOG",
                                        "--log-prefix \"x y\"",
                                        "--log-level 4",
                                        "--log-level foo",
                                        "-j MARK",
                                        "--set-mark 1",
                                        "--set-xmark 0x1/0xff",
                                        "--or-mark 4",
                                        "-v",
                                        "-n",
                                        "-x",
                                        "-w",
                                        "-c 1 2",
                                        "-c 1,2",
                                        "!",
                                        "! !",
                                        "foo",
                                        "-4",
                                        "-6",
                                        "-t filter",
                                        "--foo",
                                        "\"-s\" 192.0.2.1",
                                        "-jACCEPT",
                                        "--jump=DROP",
                                        "-ptcp",
                                        "--goto=u"};
constexpr std::string_view kCommands[] = {"-A INPUT", "-A u",   "-A OUTPUT",
                                          "-I INPUT", "-I u 1", "-A FORWARD"};

class RestoreTest : public KernelTest {};

TEST_F(RestoreTest, AgreesOnRandomRules) {
  std::mt19937 random(static_cast<unsigned>(test::seed_of_run()));
  const auto pick = [&](const auto& from) {
    return std::string(
        from[std::uniform_int_distribution<std::size_t>(0, std::size(from) - 1)(random)]);
  };
  const auto space = NetNamespace::create();
  ASSERT_TRUE(space) << space.error();
  const auto inside = space->enter();
  std::size_t taken = 0, refused = 0;
  const char* const more = std::getenv("POSTERN_RANDOM_ROUNDS");
  const int rounds = more ? std::stoi(more) : 400;
  for (int i = 0; i < rounds; ++i) {
    std::string rule = pick(kCommands);
    for (int n = std::uniform_int_distribution(1, 4)(random); n > 0; --n)
      rule += " " + pick(kPieces);
    const std::string text = "*filter\n:INPUT ACCEPT [0:0]\n:u - [0:0]\n" + rule + "\nCOMMIT\n";
    const auto tool = run_program({"iptables-legacy-restore", "--test"}, text);
    ASSERT_TRUE(tool) << tool.error();
    const auto source = source_of(text);
    const auto bound = read_ruleset(source, Family::kIpv4);
    const bool unknown = bound && !bound->warnings.empty();  // PST001 is never an error
    if (unknown) continue;
    // A port above 65535 is a typing error to postern; to iptables' udp it is a port modulo 65536.
    if (rule.find("65536") != std::string::npos && tool->status == 0) continue;
    // Of a line of the other family iptables checks some of what stands before the -6.
    if (rule.find(" -6") != std::string::npos) continue;
    EXPECT_EQ(bound.has_value(), tool->status == 0)
        << rule << "\n"
        << tool->error << (bound ? "" : rendered(bound.error(), *source));
    ++(tool->status == 0 ? taken : refused);
  }
  EXPECT_GT(taken, 20u);
  EXPECT_GT(refused, 100u);
}

}  // namespace
}  // namespace postern::kernel
