parser grammar IptablesSaveParser;
options { tokenVocab = IptablesSaveLexer; }
file : WORD* EOF ;
