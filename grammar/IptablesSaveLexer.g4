lexer grammar IptablesSaveLexer;
WORD : ~[ \t\r\n]+ ;
WS : [ \t\r\n]+ -> skip ;
