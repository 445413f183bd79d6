// The shape of one line of iptables-save text: LL(1), so that the parser never has to predict. How
// lines make tables is in syntax/parse.cpp; what words mean, in the vocabulary.
// Covered by tests/unit/syntax_parse_test.cpp.
parser grammar IptablesSaveParser;
options { tokenVocab = IptablesSaveLexer; }

line
  : ( table=tableLine | chain=chainLine | commit=COMMIT | rule_=ruleLine | COMMENT )? EOF
  ;

// "*filter"; iptables-restore reads no further than the name.
tableLine : TABLE name=NAME ( NAME | COUNTERS )* ;

// ":INPUT ACCEPT [0:0]", ":user - [0:0]", without counters, or with anything behind them.
chainLine : CHAIN name=NAME policy=NAME ( counters=COUNTERS ( NAME | COUNTERS )* )? ;

// "[1:2] -A INPUT ! -s 192.0.2.1 -j DROP". The command need not stand first: "-4 -A INPUT".
ruleLine
  : counters=COUNTERS? arguments+=( NOT | OPTION | WORD )* command=COMMAND
    arguments+=( NOT | OPTION | WORD | COMMAND )*
  ;
