// Words of one line of iptables-save text. Lines are independent of each other, so the lexer never
// sees a line end: syntax/parse.cpp hands it one line at a time and starts it in the default mode.
//
// It knows the shape of a line and no option names. How quotes work is what iptables-restore does
// (its add_param_to_argv): a quote opens anywhere in a word, a backslash escapes only between
// quotes, and a closing quote ends the word. Covered by tests/unit/syntax_lexer_test.cpp.
lexer grammar IptablesSaveLexer;

// Start of a line.
BLANK : [ \t]+ -> skip ;
COMMENT : '#' ~[\n]* ;
COMMIT : 'COMMIT' ;
TABLE : '*' -> mode(NAMES) ;
CHAIN : ':' -> mode(NAMES) ;
COUNTERS : '[' ~[ \t\]]* ']' -> mode(ARGUMENTS) ;
FIRST_COMMAND : ( SHORT_COMMAND | LONG_COMMAND ) -> type(COMMAND), mode(ARGUMENTS) ;
FIRST_NOT : '!' -> type(NOT), mode(ARGUMENTS) ;
FIRST_OPTION : '-' PLAIN* -> type(OPTION), mode(ARGUMENTS) ;
TEXT : ~[ \t*:#\-![] ~[ \t]* ;

fragment PLAIN : ~[ \t"] ;
fragment SHORT_COMMAND : '-' [A-Z] PLAIN* ;
fragment LONG_COMMAND : '--' ( 'append' | 'insert' | 'new-chain' | 'policy' ) ;
fragment QUOTED : '"' ( ~["\\] | '\\' ~[\n] )* ;

// Behind "*" and ":": bare words, quotes mean nothing.
mode NAMES;
NAMES_BLANK : [ \t]+ -> skip ;
NAMES_COUNTERS : '[' ~[ \t\]]* ']' -> type(COUNTERS) ;
NAME : ~[ \t]+ ;

// The arguments of a rule.
mode ARGUMENTS;
ARGUMENTS_BLANK : [ \t]+ -> skip ;
NOT : '!' ;
COMMAND : SHORT_COMMAND | LONG_COMMAND ;
OPTION : '-' PLAIN+ ;
WORD : PLAIN+ | PLAIN* QUOTED '"' ;
UNCLOSED : PLAIN* QUOTED '\\'? ;
