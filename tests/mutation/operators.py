"""One-line errors in C++: which ones a source file offers.

No parser: comments and strings are blanked out, and what is left is matched by patterns that fit
this repository's formatting. What does not compile is the caller's business (it draws again).
Messages, checks and type-level lines are left alone. Everything here is deterministic.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    path: str
    line: int  # from 1
    kind: str
    before: tuple  # the lines as they are ...
    after: tuple  # ... and as they become; fewer when a line is dropped


# Lines that carry no behaviour, or whose failing is the point of a check.
_SKIP = re.compile(r'POSTERN_CHECK|static_assert|^\s*#|\bthrow\b|complaint\(|Unmodelled\(|opaque\(|'
                   r'\.(why|help|message|note|notes|code)\b|\b(using|namespace|extern|friend|enum|'
                   r'template|class|struct|requires|reserve)\b')
_FLIPS = {' == ': (' != ',), ' != ': (' == ',), ' < ': (' <= ', ' > '), ' <= ': (' < ',),
          ' > ': (' >= ', ' < '), ' >= ': (' > ',), ' && ': (' || ',), ' || ': (' && ',),
          ' + ': (' - ',), ' - ': (' + ',), ' & ': (' | ',), ' | ': (' & ',)}
_WORDS = {'true': 'false', 'false': 'true', 'any_of': 'all_of', 'all_of': 'any_of', 'min': 'max',
          'max': 'min', 'source': 'destination', 'destination': 'source', 'break': 'continue',
          'source_port': 'destination_port', 'destination_port': 'source_port',
          'both': 'either', 'either': 'both', 'initiator': 'responder', 'responder': 'initiator'}
_DROPPABLE = re.compile(r'^(\+\+|--)?[\w.:\->\[\]()*]+( (\||&|\^|\+|-|<<)?= .*|\(.*\))?;$|'
                        r'^if \(.*\) .*;$')
# Options are found by their names; where the descriptor prints, it prints in an order of its own.
_OPTION = re.compile(r'^\s*[\w= ]*\{*(\.name = "--|(counter|part|test)\()')
_TABLE = re.compile(r'"([A-Z0-9]{2}|--|\.\.)( ([A-Z0-9]{2}|--|\.\.))+"')


def blank(text):
    """The text with comments and the insides of strings blanked out, every line as long as it was."""
    def cover(match):
        found = match.group(0)
        if found[0] == '/':
            return re.sub(r'[^\n]', ' ', found)
        return found[0] + re.sub(r'[^\n]', '~', found[1:-1]) + found[-1]
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|(?<!\w)\'(?:\\.|[^\'\\\n])+\'', cover, text,
                  flags=re.S)


def families(sources):
    """Sets of constants that stand for each other: {scope name: [[value, ...], ...]}."""
    found = {}
    for path in sorted(sources):
        code = blank(sources[path])
        for name, body in re.findall(r'\benum class (\w+)[^{;]*\{([^}]*)\}', code):
            found.setdefault(name, []).append(re.findall(r'\bk[A-Z]\w*', body))
        for name, body in re.findall(r'\bnamespace (\w+) \{([^{}]*)\}', code):
            values = re.findall(r'\b(k[A-Z]\w*) = ', body)
            if len(values) > 1:
                found.setdefault(name, []).append(values)
    return found


def _balanced(text):
    return all(text.count(a) == text.count(b) for a, b in ('()', '{}', '[]'))


def _close(text, start):
    depth = 0
    for i in range(start, len(text)):
        depth += {'(': 1, ')': -1}.get(text[i], 0)
        if depth == 0:
            return i
    return None


def _edits(code, raw, scopes, opened):
    """(kind, start, end, replacement) within one line."""
    for old, news in _FLIPS.items():
        for at in re.finditer(f'(?={re.escape(old)})', code):
            for new in news:
                yield 'operator', at.start(), at.start() + len(old), new
    for at in re.finditer(r'\b\w+\b', code):
        if at.group(0) in _WORDS and code[at.end():at.end() + 2] != '::':
            yield 'word', at.start(), at.end(), _WORDS[at.group(0)]
    for at in re.finditer(r'(?<![\w.])(0x[0-9a-f]+|\d+)(U?)\b(?!>)', code):
        value = int(at.group(1), 0)
        for new in (value + 1, value - 1):
            if new >= 0:
                yield 'constant', at.start(1), at.end(1), (
                    hex(new) if at.group(1)[:2] == '0x' else str(new))
    for at in re.finditer(r'(?:\b(\w+)::)?\b(k[A-Z]\w*)\b', code):
        names = [at.group(1)] if at.group(1) else opened
        for name in names:
            for values in scopes.get(name, []):
                if at.group(2) in values:
                    for new in values:
                        if new != at.group(2):
                            yield 'constant name', at.start(2), at.end(2), new
    for at in re.finditer(r'\bif \(', code):
        end = _close(code, at.end() - 1)
        if end is not None:
            yield 'condition', at.end(), end, '!(' + raw[at.end():end] + ')'
    for at in re.finditer(r'(?<=[{ (])(?=([\w:.]+), ([\w:.]+)(?=[,})]))', code):
        if '{' in code[:at.start()] and at.group(1) != at.group(2):
            yield 'order', at.start(1), at.end(2), at.group(2) + ', ' + at.group(1)
    for table in _TABLE.finditer(raw):
        cells = sorted({'--', '..', 'SS', 'SR', 'ES', 'FW', 'CW', 'LA', 'TW', 'CL', 'S2'})
        for at in re.finditer(r'[A-Z0-9]{2}|--|\.\.', table.group(0)):
            for new in cells:
                if new != at.group(0):
                    yield 'table cell', table.start() + at.start(), table.start() + at.end(), new


def mutants(path, text, scopes):
    """{line: {kind: [Mutant, ...]}} of one file."""
    raw, code = text.split('\n'), blank(text).split('\n')
    opened = re.findall(r'using enum (\w+);|using namespace (\w+);', text)
    opened = [a or b for a, b in opened]
    prints = '    .print = ' in text
    found, check = {}, False
    for i, line in enumerate(code):
        # A check, message or type may go on for some lines.
        check = (check and not code[i - 1].rstrip().endswith((';', '{', '}'))) or bool(
            _SKIP.search(line))
        if check or not line.strip():
            continue
        here = []

        def add(kind, after, lines=1):
            here.append(Mutant(path, i + 1, kind, tuple(raw[i:i + lines]), tuple(after)))

        for kind, start, end, new in _edits(line, raw[i], scopes, opened):
            add(kind, [raw[i][:start] + new + raw[i][end:]])
        stripped, above = line.strip(), code[i - 1].strip() if i else ''
        if (_DROPPABLE.match(stripped) and _balanced(stripped) and
                not stripped.startswith('return') and above.endswith((';', '{', '}', ':', ''))
                and above[-1:] in ('', ';', '{', '}', ':')):
            add('statement', [])
        below = code[i + 1].strip() if i + 1 < len(code) else ''
        if (all(s.endswith(',') and _balanced(s) for s in (stripped, below)) and
                raw[i] != raw[i + 1] and not _SKIP.search(below) and
                not (prints and _OPTION.match(raw[i]) and _OPTION.match(raw[i + 1]))):
            add('order', [raw[i + 1], raw[i]], 2)
        for mutant in here:
            found.setdefault(i + 1, {}).setdefault(mutant.kind, []).append(mutant)
    return found
