#!/usr/bin/env python3
"""Does the suite notice a wrong line? Draws one-line errors from a seed and runs the tests on each.

  mutate.py --seed S --count N     (./dev mutate; --from K begins at the K-th, --list only shows)

Mutant K of seed S belongs to area K mod 6 (AREAS: transition tables, hook order, descriptors, NAT,
engine, packet sets), its line is drawn evenly over that area's lines that offer an error
(operators.py), then the kind of error, then the error. One that does not compile, or that stands in
equivalent.txt with the reason why nothing can notice it, is drawn again; both are counted.

The tree is a copy below build/mutation with a build of its own (release, ccache). Stages: the tests
that the file (or its header) names as its own, unit tests, a campaign from a fixed seed (root),
kernel tests, CLI tests, agreement searches. The first failing test "caught" the mutant. First of all, the unchanged
tree must pass all stages. Results are appended to build/mutation/seed-S.jsonl; what stands there is
not run again (--again K runs that very mutant once more, drawing only when it is found equivalent by
now). Exit code 1 when a mutant survived.
"""

import argparse
import glob
import itertools
import json
import os
import random
import re
import signal
import subprocess
import sys
import time

from operators import Mutant, families, mutants

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
AREAS = (
    ('transitions', ('lib/flow/conntrack*.hpp',)),
    ('hooks', ('lib/flow/hooks.cpp',)),
    ('descriptors', ('lib/vocabulary/match/*.cpp', 'lib/vocabulary/target/*.cpp')),
    ('nat', ('lib/engine/*nat*.cpp', 'lib/vocabulary/nat.cpp')),
    ('engine', ('lib/engine/*.cpp',)),
    ('sets', ('lib/symbolic/*/*.cpp',)),
)
# Unit tests that search for long.
SEARCHES = ('Adversary.*:Exhaustive.*:Agreement.*:Deadline.*:*OddAddresses.*:OwnTuple.*:OtherPackets.*:'
            'Walk.AgreesWithTheNaiveEvaluator:MacCodes.Fifteen*:BindCorpus.*')
# name, target, gtest filter, further environment
STAGES = (
    ('unit', 'unit_tests', '-' + SEARCHES, {}),
    ('campaign', 'kernel_tests', 'CampaignTest.FindsNoDifference',
     {'POSTERN_CAMPAIGN_PACKETS': '25000', 'POSTERN_CAMPAIGN_SEED': '5'}),
    ('kernel', 'kernel_tests', '-CampaignTest.*:*PlantedFault*', {}),
    ('cli', 'cli_tests', '*', {}),
    ('agreement', 'unit_tests', SEARCHES, {'POSTERN_SEED': '1', 'POSTERN_STRIDE': '12'}),
)


class Tree:
    """The copy that is mutated, and its build."""

    def __init__(self, path, jobs):
        self.path, self.jobs = path, jobs
        self.build = os.path.join(path, 'build', 'release')
        self.limits = {}

    def refresh(self):
        names = subprocess.run(['git', 'ls-files', '-co', '--exclude-standard'], cwd=ROOT, text=True,
                               capture_output=True, check=True).stdout.split('\n')
        for name in filter(None, names):
            source, target = os.path.join(ROOT, name), os.path.join(self.path, name)
            if not os.path.isfile(source):
                continue
            text = open(source, 'rb').read()
            if os.path.isfile(target) and open(target, 'rb').read() == text:
                continue
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, 'wb') as out:
                out.write(text)
            os.chmod(target, os.stat(source).st_mode)
        for area in ('lib', 'tests', 'analyzer', 'cli'):
            for found in glob.glob(os.path.join(self.path, area, '**', '*.[ch]pp'), recursive=True):
                if not os.path.isfile(os.path.join(ROOT, os.path.relpath(found, self.path))):
                    os.remove(found)

    def run(self, command, limit=None, environment=None):
        """(exit code, output, seconds); code None: it took longer than `limit` seconds."""
        began = time.time()
        process = subprocess.Popen(command, cwd=self.path, text=True, errors='replace',
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   env={**os.environ, **(environment or {})}, start_new_session=True)
        try:
            output, _ = process.communicate(timeout=limit)
            return process.returncode, output, time.time() - began
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            return None, output, time.time() - began

    def make(self, *targets):
        code, output, _ = self.run(['nice', 'ninja', '-C', self.build, f'-j{self.jobs}', *targets])
        return code == 0, output

    def configure(self):
        code, output, _ = self.run(['cmake', '--preset', 'release'])
        if code != 0:
            sys.exit(output)

    def stage(self, stage):
        """The first failing test, or None. A build that fails is the name 'does not compile'."""
        name, target, chosen, more = stage
        built, output = self.make(target)
        if not built:
            return 'does not compile'
        environment = {'POSTERN_REQUIRE': 'kernel', **more}
        shared = os.environ.get('POSTERN_SHARED', os.path.join(ROOT, '..', 'shared'))
        if os.path.isdir(shared):
            environment['POSTERN_SHARED'] = os.path.abspath(shared)
        command = ['nice', os.path.join(self.build, 'tests', target), '--gtest_fail_fast',
                   '--gtest_filter=' + chosen]
        limit = self.limits.get(name, 1200)
        code, output, seconds = self.run(command, limit, environment)
        if code == 0:
            self.limits.setdefault(name, 300 + 10 * seconds)
            return None
        with open(os.path.join(ROOT, 'build', 'mutation', 'last-failure.txt'), 'w') as log:
            log.write(output)
        failed = re.findall(r'\[  FAILED  \] (\S+?),? ', output)
        begun = re.findall(r'\[ RUN      \] (\S+)', output)
        how = '' if failed else ' (no end)' if code is None else ' (dies)'
        return (failed or begun[-1:] or ['start'])[0] + how

    def named(self, path):
        """The unit test files that a file, or the header beside it, names as its own."""
        beside = os.path.join(self.path, re.sub(r'cpp$', 'hpp', path))
        texts = [open(p).read() for p in {os.path.join(self.path, path), beside} if os.path.isfile(p)]
        if path.startswith('lib/vocabulary/'):  # the tables of corpus/matches and corpus/targets
            texts.append('table_test.cpp vocabulary_test.cpp')
        return sorted(set(re.findall(r'\w+_test\.cpp', '\n'.join(texts))))

    def own(self, mutant):
        """The stage of the tests in these files: most mutants end there, within a second."""
        sources = [os.path.join(self.path, 'tests', 'unit', name) for name in self.named(mutant.path)]
        texts = [open(source).read() for source in sources if os.path.isfile(source)]
        suites = sorted(set(re.findall(r'^TEST(?:_[FP])?\((\w+),', '\n'.join(texts), re.M)))
        tests = ':'.join(f'{s}.*:*/{s}.*' for s in suites)
        return ('own', 'unit_tests', f'{tests}:-{SEARCHES}', {}) if suites else None

    def near(self, mutant):
        """The tests that a mutated header names, alone with as few libraries as they need: what else
        includes the header need not be compiled when they notice."""
        named = [f'tests/unit/{name}' for name in self.named(mutant.path)]
        commands = json.load(open(os.path.join(self.build, 'compile_commands.json')))
        for source in named:
            unit = [c for c in commands if c['file'].endswith('/' + source)]
            if not unit:
                continue
            where, binary = unit[0]['directory'], os.path.join(self.build, 'near')
            compiled = re.sub(r' -o \S+', f' -o {binary}.o', unit[0]['command'])
            if self.run(['sh', '-c', f'cd {where} && nice {compiled}'])[0] != 0:
                return 'does not compile'
            for layer in ('flow', 'engine'):
                if not self.make(f'postern_{layer}')[0]:
                    return 'does not compile'
                order = ('engine scenario flow ir syntax grammar vocabulary meaning net text base').split()
                libraries = ' '.join(f'{self.build}/libpostern_{x}.a' for x in order[order.index(layer):])
                link = (f'c++ {binary}.o -o {binary} {libraries} {libraries} -lgmock_main -lgmock '
                        '-lgtest -lfmt -ltins -lantlr4-runtime -lpthread')
                if self.run(['sh', '-c', link])[0] != 0:
                    continue
                code, output, _ = self.run([binary, '--gtest_fail_fast'], 300)
                if code != 0:
                    failed = re.findall(r'\[  FAILED  \] (\S+?),? ', output)
                    return (failed or ['start'])[0]
                break
        return None


def read(path):
    return open(os.path.join(ROOT, path), encoding='utf-8').read()


def pools():
    """Per area: [(file, {line: {kind: [Mutant]}})]. A file belongs to the first area that names it,
    NAT's before the engine's."""
    sources = {os.path.relpath(p, ROOT): open(p, encoding='utf-8').read()
               for p in glob.glob(os.path.join(ROOT, 'lib', '**', '*.[ch]pp'), recursive=True)}
    scopes, taken, result = families(sources), set(), []
    for _, patterns in AREAS:
        lines = []
        for pattern in patterns:
            for path in sorted(glob.glob(os.path.join(ROOT, pattern))):
                name = os.path.relpath(path, ROOT)
                if name in taken:
                    continue
                taken.add(name)
                offered = mutants(name, sources[name], scopes)
                lines += [offered[line] for line in sorted(offered)]
        result.append(lines)
    return result


def draws(lines, seed, number):
    """The endless sequence of mutant `number`: the first that compiles and can be noticed counts."""
    chance = random.Random(f'{seed}/{number}')
    while True:
        kinds = chance.choice(lines)
        yield chance.choice(kinds[chance.choice(sorted(kinds))])


def shown(mutant):
    before, after = (' / '.join(s.strip() for s in side) for side in (mutant.before, mutant.after))
    return f'{before} => {after or "(dropped)"}'


def equivalents():
    """`FILE: BEFORE => AFTER # why nothing can notice it`, a line each."""
    path = os.path.join(ROOT, 'tests', 'mutation', 'equivalent.txt')
    lines = open(path).read().split('\n') if os.path.isfile(path) else []
    return {line.rsplit(' # ', 1)[0] for line in lines if ' # ' in line}


def apply(tree, mutant):
    path = os.path.join(tree.path, mutant.path)
    original = open(path, encoding='utf-8').read()
    lines = original.split('\n')
    at = mutant.line - 1
    assert tuple(lines[at:at + len(mutant.before)]) == mutant.before, mutant
    lines[at:at + len(mutant.before)] = mutant.after
    with open(path, 'w', encoding='utf-8') as out:
        out.write('\n'.join(lines))
    return path, original


def judge(tree, mutant, quick=False):
    """(stage, test), ('', 'survived') or ('', 'does not compile')."""
    path, original = apply(tree, mutant)
    try:
        if mutant.path.endswith('.hpp'):
            caught = tree.near(mutant)
            if caught:
                return ('' if caught == 'does not compile' else 'near', caught)
        # A campaign never asks the sets: for them the agreement searches come first.
        sets = mutant.path.startswith('lib/symbolic/')
        order = sorted(STAGES, key=lambda s: s[0] in ('campaign', 'kernel')) if sets else STAGES
        own = tree.own(mutant)
        for stage in ([own] if own else []) + list(order[:1] if quick else order):
            caught = tree.stage(stage)
            if caught:
                return ('' if caught == 'does not compile' else stage[0], caught)
        return '', 'survived'
    finally:
        with open(path, 'w', encoding='utf-8') as out:
            out.write(original)


def recorded(lines, result):
    """The mutant of an earlier result, where its line stands by now."""
    same = [m for kinds in lines for found in kinds.values() for m in found
            if m.path == result['file'] and shown(m) == result['change']]
    return min(same, key=lambda m: abs(m.line - result['line']), default=None)


def run_one(tree, lines, seed, number, before=None, quick=False):
    """Runs the mutant of the result `before` again; without one, draws until one compiles and is
    not known to be equivalent, and judges it."""
    known, uncompiled, equivalent = equivalents(), 0, []
    again = recorded(lines, before) if before else None
    for mutant in itertools.chain([again] if again else [], draws(lines, seed, number)):
        text = f'{mutant.path}: {shown(mutant)}'
        if text in known:
            equivalent.append(text)
            continue
        began = time.time()
        stage, test = judge(tree, mutant, quick)
        if test == 'does not compile':
            uncompiled += 1
            continue
        return {'number': number, 'area': AREAS[number % len(AREAS)][0], 'file': mutant.path,
                'line': mutant.line, 'kind': mutant.kind, 'change': shown(mutant), 'stage': stage,
                'test': test, 'uncompiled': uncompiled, 'equivalent': equivalent,
                'seconds': round(time.time() - began)}


def options():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--seed', default='1')
    parser.add_argument('--count', type=int, default=60)
    parser.add_argument('--from', dest='first', type=int, default=0)
    parser.add_argument('--again', type=int, action='append', default=[])
    parser.add_argument('--area', action='append', default=[], help='only these areas (several)')
    parser.add_argument('--quick', action='store_true',
                        help='unit tests only; what they let pass is not recorded')
    parser.add_argument('--list', action='store_true')
    parser.add_argument('--tree', default=os.path.join(ROOT, 'build', 'mutation', 'tree'))
    parser.add_argument('--jobs', type=int, default=2)
    parser.add_argument('--trust', action='store_true', help='the unchanged tree is known to pass')
    return parser.parse_args()


def main():
    chosen = options()
    areas = pools()
    numbers = chosen.again or range(chosen.first, chosen.first + chosen.count)
    if chosen.area:
        numbers = [n for n in numbers if AREAS[n % len(AREAS)][0] in chosen.area]
    if chosen.list:
        for number in numbers:
            mutant = next(draws(areas[number % len(AREAS)], chosen.seed, number))
            print(f'{number} {mutant.path}:{mutant.line} [{mutant.kind}] {shown(mutant)}')
        return 0
    results_path = os.path.join(ROOT, 'build', 'mutation', f'seed-{chosen.seed}.jsonl')
    os.makedirs(os.path.dirname(results_path), exist_ok=True)
    done = {}
    if os.path.isfile(results_path):
        done = {r['number']: r for r in map(json.loads, open(results_path))}
    tree = Tree(chosen.tree, chosen.jobs)
    tree.refresh()
    tree.configure()
    for stage in () if chosen.trust else STAGES:
        failed = tree.stage(stage)
        if failed:
            sys.exit(f'the unchanged tree fails in {stage[0]}: {failed}')
        print(f'unchanged: {stage[0]} passes', flush=True)
    survived = 0
    for number in numbers:
        if number in done and number not in chosen.again:
            result = done[number]
        else:
            result = run_one(tree, areas[number % len(AREAS)], chosen.seed, number, done.get(number),
                             chosen.quick)
            if result['test'] != 'survived' or not chosen.quick:
                with open(results_path, 'a') as out:
                    out.write(json.dumps(result) + '\n')
        survived += result['test'] == 'survived'
        print(f"| {number} {result['area']} | `{result['file']}:{result['line']}` | "
              f"`{result['change']}` | {result['stage']} {result['test']} | "
              f"{result['uncompiled']} | {result['seconds']} s |", flush=True)
    print(f'{len(numbers)} mutants of seed {chosen.seed}, {survived} survived')
    return 1 if survived else 0


if __name__ == '__main__':
    sys.exit(main())
