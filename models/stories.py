"""Writes short stories in simple English from a grammar; the same seed gives the same story everywhere.

A story is one line of text. `story(seed)` is pure: it uses its own 64-bit generator, so neither the
Python version nor the platform matters. Training uses seeds from TRAIN_SEED up, held-out text uses
seeds from HELDOUT_SEED up; the two ranges never meet.
"""
import re
import sys

from plots import PLOTS

TRAIN_SEED = 1
HELDOUT_SEED = 1 << 40

GIRLS = "Lily Mia Anna Sara Lucy Emma Nora Zoe Ella Ruby Maya Rose".split()
BOYS = "Tom Ben Max Sam Tim Leo Jack Finn Noah Theo Omar Dan".split()
ANIMALS = "bunny fox bear mouse duck cat dog frog squirrel turtle bird hedgehog".split()
ANIMAL_NAMES = {"she": "Pip Coco Daisy Bella Olive Penny Hazel".split(),
                "he": "Milo Fuzzy Teddy Rocky Bobo Rusty".split()}
TRAITS = "little kind brave happy shy clever curious funny gentle quiet".split()
HOMES = ["a small house", "a little village", "a house by the sea", "a cozy cottage", "a big town",
         "a house near the forest", "a house on a hill"]
WILD_HOMES = ["the forest", "a green meadow", "a hollow tree", "a den under an old oak", "the tall grass",
              "a quiet valley", "a garden full of flowers", "the woods near a river"]
PARENTS = [("mom", "she"), ("dad", "he"), ("grandma", "she"), ("grandpa", "he"), ("mom", "she"), ("dad", "he")]
PRONOUNS = {"she": ("she", "her", "her"), "he": ("he", "his", "him"), "it": ("it", "its", "it")}

OPENINGS = [
    "Once upon a time, there [was|lived] a {trait} {kind} named {hero}. {He} lived in {home}[.| with {his} {parent}.]",
    "Once upon a time, a {trait} {kind} named {hero} lived in {home}.",
    "There once was a {trait} {kind} named {hero}. {He} lived in {home}[.| with {his} {parent}.]",
    "{hero} was a {trait} {kind} who lived in {home}[.| with {his} {parent}.]",
    "In {home} there lived a {trait} {kind}. {His} name was {hero}.",
    "Once there was a {kind} named {hero}. {He} was very {trait}.",
    "Long ago, in {home}, there lived a {trait} {kind} named {hero}.",
]
WEATHER = ["", "", "", "It was a sunny day.", "It was a cold and windy day.",
           "The sky was blue and the birds were singing.", "It was a warm summer day.", "The sun was shining."]
ENDINGS = [
    "", "", "", "The end.", "From that day on, {hero} and {friend} were best friends.",
    "That night, {hero} went to bed with a big smile.", "And they all lived happily ever after.",
    "It was the best day ever.", "{hero} never forgot that day.",
]


class Rng:
    """SplitMix64: 64-bit state, every seed is good, nothing to import."""

    def __init__(self, seed):
        self.state = (seed * 0x9E3779B97F4A7C15) & (2**64 - 1)

    def below(self, count):
        self.state = (self.state + 0x9E3779B97F4A7C15) & (2**64 - 1)
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & (2**64 - 1)
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & (2**64 - 1)
        return ((z ^ (z >> 31)) >> 11) % count

    def pick(self, items):
        return items[self.below(len(items))]


def expand(text, rng):
    """Replaces every [a|b|c], innermost first, by one of its alternatives."""
    pattern = re.compile(r"\[([^\[\]]*)\]")
    while (found := pattern.search(text)) is not None:
        text = text[:found.start()] + rng.pick(found.group(1).split("|")) + text[found.end():]
    return text


def person(rng, taken):
    """Returns (name, kind, pronoun) of a child or an animal whose name is not in `taken`."""
    roll = rng.below(10)
    if roll < 4:
        names, kind, pronoun = GIRLS, "girl", "she"
    elif roll < 7:
        names, kind, pronoun = BOYS, "boy", "he"
    else:
        kind, pronoun = rng.pick(ANIMALS), rng.pick(["he", "she"])
        names = ANIMAL_NAMES[pronoun]
    return rng.pick([name for name in names if name not in taken]), kind, pronoun


def add_pronouns(slots, prefix, pronoun):
    for slot, word in zip(("he", "his", "him"), PRONOUNS[pronoun]):
        slots[prefix + slot] = word
        slots[prefix + slot.capitalize()] = word.capitalize()


def make_slots(rng, plot):
    hero, kind, pronoun = person(rng, ())
    friend, friend_kind, friend_pronoun = person(rng, (hero,))
    parent, parent_pronoun = rng.pick(PARENTS)
    wild = kind in ANIMALS
    slots = {"hero": hero, "kind": kind, "friend": friend, "fkind": friend_kind, "parent": parent,
             "trait": rng.pick(TRAITS), "home": rng.pick(WILD_HOMES if wild else HOMES)}
    add_pronouns(slots, "", pronoun)
    add_pronouns(slots, "f", friend_pronoun)
    add_pronouns(slots, "p", parent_pronoun)
    by_kind = f"{friend} the {friend_kind}"
    slots["pal"] = by_kind if friend_kind in ANIMALS else f"{slots['his']} friend {friend}"
    slots["Pal"] = slots["pal"][0].upper() + slots["pal"][1:]
    for name, choices in plot["slots"].items():
        slots[name] = rng.pick(choices)
    return slots


def tidy(text):
    """Joins spaces, turns a into an before a vowel, and starts each sentence with a capital letter."""
    text = re.sub(r" +", " ", text).strip()
    text = re.sub(r"\b([Aa]) (?=[aeiouAEIOU])", r"\1n ", text)
    return re.sub(r"(^|[.!?] \"?|, \")([a-z])", lambda m: m.group(1) + m.group(2).upper(), text)


def story(seed):
    """Returns one story (one line, about 350 to 750 characters) for a seed >= 0."""
    rng = Rng(seed)
    plot = rng.pick(PLOTS)
    slots = make_slots(rng, plot)
    parts = [rng.pick(OPENINGS), rng.pick(WEATHER), *plot["text"], rng.pick(ENDINGS)]
    text = expand(" ".join(parts), rng)
    return tidy(text.format(**slots))


def stories(first_seed, count):
    return [story(first_seed + i) for i in range(count)]


if __name__ == "__main__":
    for line in stories(int(sys.argv[1]) if len(sys.argv) > 1 else TRAIN_SEED,
                        int(sys.argv[2]) if len(sys.argv) > 2 else 5):
        print(line)
