"""Words for people to read, bundled because those of a library change with its version.

Changing a list changes every checksum.
"""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ADJECTIVES = _words(
    """
    able amber ample azure bold brass brave brief bright brisk broad bronze calm canvas clear clever
    coarse copper coral cosy crisp curved daily dark deep dense distant double dry early eastern
    empty even fair famous fine firm first fixed flat fresh full gentle glad golden grand green grey
    hardy heavy hidden high hollow humble idle inner iron ivory keen kind large last late lean level
    light little lively local lone long loose low lucky main marine mellow merry mild modern narrow
    neat new noble northern novel oaken old open outer pale patient plain polar polite pure quick
    quiet rapid rare ready red rich ripe rough round royal rustic scarlet sharp short silent silver
    simple single slender slow small smooth soft solid southern spare spruce square steady steel
    stout strong sturdy subtle sunny swift tall teal tender thick thin tidal tidy tiny true upper
    useful vast vivid warm western white wide wild wise wooden woven yellow young
    """
)

NOUNS = _words(
    """
    acorn alder anchor anvil apple arch arrow aspen badge ballast banner barge barrel basin basket
    beacon bell bench berth birch block board boat bottle bow bowl branch bridge brook bucket buoy
    cabin cable candle canoe canyon cap card carpet castle cedar chain chair chalk chart chest cleat
    cliff clock cloud coast coat compass cord cottage cove crane creek crown cup current deck delta
    desk dock door drum dune eagle ember engine fabric falcon feather fern ferry field fiddle flag
    flask fleet flint flute forest forge fountain frame galley garden gate glacier glass glove grain
    grove gull hammer hammock harbour harp hatch haven hawk hazel hearth heron hill hook horn island
    jacket jetty kettle key kite knot ladder lagoon lake lamp lantern lark leaf ledge lens lever
    lighter lily linen lock loom maple marsh mast meadow mill mirror mist moss mountain nest net
    oar oak orchard otter owl paddle palm panel paper path pearl pebble pencil pier pillar pine
    pitcher planet plate plough pocket pond poplar port prism pulley quarry quay quill raft rail
    rampart reed reef ribbon ridge ring river road robin rock roof rope rudder saddle sail scarf
    shade shelf shell shield ship shore shovel shutter signal sled slope spade spark spindle spire
    spoon spring stable star stone storm stream summit swan table tackle thimble thread tide tile
    timber torch tower trail train tray tunnel valley vane vase vault vessel village violin wagon
    wall watch water wave wheel whistle willow winch wind window wing wood wool wreath yard yarn
    """
)

VERBS = _words(
    """
    answers borders brings builds calls carries clears crosses draws drops faces finds follows
    guards guides holds joins keeps leads lifts lights marks meets mends moves needs opens passes
    pulls reaches rests saves serves shows stops suits takes turns warms watches
    """
)

FIRST_NAMES = _words(
    """
    Ada Aiko Alan Amara Ana André Anna Arjun Astrid Ayşe Ben Björn Carla Chen Chloé Clara Dara David
    Diego Elena Elif Emil Emma Eva Fatima Felix Finn Frida Grace Hana Hugo Ida Ines Ivan Jakob Jane
    João Jonas José Julia Karim Kaya Kofi Lara Lea Leo Lina Lucas Łukasz Mads Maja Maria Marta Max
    Mei Mia Milan Mira Nadia Nils Nina Noah Nora Olga Omar Oskar Pablo Paul Petra Priya Rana René
    Rosa Samir Sara Simon Sofia Stefan Søren Tara Theo Tomás Uma Vera Viktor Wanda Yara Yuki Yusuf
    Zara Zoë
    """
)

LAST_NAMES = _words(
    """
    Abadi Adams Almeida Andersen Bauer Becker Bell Berg Bianchi Brandt Brown Carter Castro Çelik
    Chen Clark Cohen Costa Cruz Dahl Diaz Dubois Eriksen Evans Fischer Fontaine Forster Fuchs García
    Gomez Gray Green Gupta Haas Hansen Hassan Hill Hoffmann Horvat Ito Ivanova Jansen Johansson
    Jones Kaya Keller Khan Kim Klein Kovač Kumar Lange Larsen Lee Lehmann Lopez Maier Marino Martin
    Mbeki Mendes Meyer Mori Müller Murphy Nagy Ndiaye Nguyen Nielsen Novak Nowak O'Brien Okafor
    Olsen Patel Pereira Peters Popov Reyes Ricci Rossi Roux Russo Sánchez Santos Sato Schmidt
    Schwarz Silva Singh Smith Sørensen Suzuki Tanaka Taylor Torres Turner Vega Virtanen Walker Wang
    Weber White Wolf Wood Wright Yamada Young Zhang Ziegler
    """
)
