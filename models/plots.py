"""The plots of the story grammar: data only.

A plot has `slots` (a name and its choices, drawn once per story) and `text` (parts in order).
In a text, [a|b] is a choice, {slot} a slot. Slots of every story: hero, kind, trait, home, friend,
fkind, pal (how the friend is introduced), parent, and pronouns he/his/him, fhe/fhis/fhim (friend), phe/phis/phim (parent).
"""

COLORS = "red blue green yellow pink brown white black orange purple".split()
SIZES = "big small tiny soft shiny old new round".split()
TOYS = "ball doll kite truck boat drum robot puppet train hat book bell car cup".split()
FOODS = "apple cookie cake pie pear berry carrot sandwich banana bun".split()
PLACES = ["the park", "the garden", "the beach", "the forest", "the river", "the lake", "the market", "the hill",
          "the meadow", "the playground"]
HIDING = ["under the bed", "behind the door", "under a bush", "behind a big rock", "in a box", "in the tall grass",
          "under a tree", "on a chair", "in a basket", "near the pond"]
CREATURES = "bird butterfly kitten puppy bug snail mouse frog duck bee".split()
LESSONS_WORK = ["if you keep trying, you can do it", "good things take time", "it is okay to make mistakes",
                "practice makes you better"]
LESSONS_KIND = ["it is good to help others", "sharing makes everyone happy", "being kind is the best gift",
                "friends help each other"]

PLOTS = [
    {   # Something is lost and found again.
        "slots": {"color": COLORS, "toy": TOYS, "spot": HIDING, "wrong": HIDING},
        "text": [
            "{hero} had a {color} {toy}. {He} [loved it very much|took it everywhere|played with it every day].",
            "[One day|One morning], {hero} could not find the {toy}. [{He} was very sad.|{He} started to cry.|{He} felt worried.]",
            "\"Where is my {toy}?\" [{he} asked|asked {hero}|{he} said]. [{He} looked {wrong}, but it was not there.|{He} looked {wrong}. No {toy}!|]",
            "{Pal} [came to help|saw {him} and stopped|heard {him}]. \"[Do not worry|Do not cry|Do not be sad], {hero}. [I will help you look|We can find it|Let us look together],\" said {friend}.",
            "They looked [and looked|everywhere|all day]. [Then|At last|After a while], {friend} looked {spot}. \"[Look|I see it|Here it is]!\" {fhe} [said|shouted]. It was the {color} {toy}!",
            "{hero} was so happy. {He} [hugged {friend}|jumped up and down|smiled a big smile] and said, \"[Thank you, {friend}!|Thank you so much!|You are a good friend!]\"",
            "[They played with the {toy} until it got dark.|Then they played together all day.|After that, {hero} always put the {toy} in a safe place.]",
        ],
    },
    {   # A skill is learned by trying again.
        "slots": {"skill": ["swim", "ride a bike", "fly a kite", "paint", "sing", "jump rope", "skate", "whistle", "dance", "climb a tree"],
                  "lesson": LESSONS_WORK, "count": ["two", "three", "five", "ten"]},
        "text": [
            "{hero} wanted to [learn to {skill}|{skill} like {pal}].",
            "[One day|One morning], {he} tried to {skill}, but [it was too hard|{he} could not do it|{he} fell down]. {He} [felt sad|was upset|wanted to give up].",
            "\"I can not {skill},\" {he} [said|cried]. \"[It is too hard|I am too small|I will never learn].\"",
            "{His} {parent} [smiled|sat down with {him}|gave {him} a hug]. \"[Try again|Do not give up|Try a little every day]. [I will help you|I know you can do it|I could not {skill} at first],\" {phe} said.",
            "So {hero} tried again [and again|every day|for {count} days]. [It was not easy.|Sometimes {he} fell, but {he} got up.|Each day {he} got a little better.|]",
            "[Then one day|At last|After {count} days], {he} could {skill}! \"[I did it|Look at me|I can do it]!\" {he} shouted.",
            "{friend} [clapped|cheered|was very proud]. [{hero} was so proud.|{hero} felt very happy.|{hero} laughed with joy.] {hero} learned that {lesson}.",
        ],
    },
    {   # A creature in trouble is helped.
        "slots": {"creature": CREATURES, "place": PLACES, "size": ["tiny", "little", "small", "baby"], "lesson": LESSONS_KIND,
                  "trouble": ["hurt", "lost", "stuck in the mud", "very hungry", "wet and cold", "stuck in a net"]},
        "text": [
            "One day, {hero} [went to|was walking to|was playing near] {place}. {He} heard a [small|soft|sad] sound.",
            "[It was|{He} saw|There was] a {size} {creature}. The {creature} was {trouble}. \"[Please help me|Can you help me|Help],\" said the {creature}.",
            "\"[Oh no|Poor {creature}]! [I will help you|Do not be afraid|Stay here],\" said {hero}. {He} [ran home to get {parent}|called {friend}|thought and thought].",
            "[{hero} was very careful.|{hero} was gentle and slow.|] {He} [gave the {creature} some water and a warm bed|picked up the {creature} and took it home|made a soft nest for the {creature}].",
            "[Soon|The next day|After a few days], the {creature} [felt better|was happy again|was strong again]. \"[Thank you|You saved me|You are so kind], {hero},\" it said.",
            "[The {creature} went back to {place}.|The {creature} came to play every day.|{hero} and the {creature} became friends.] {hero} learned that {lesson}.",
        ],
    },
    {   # Two friends want the same thing and share it.
        "slots": {"color": COLORS, "toy": TOYS, "place": PLACES, "lesson": LESSONS_KIND},
        "text": [
            "[One day|One afternoon], {hero} went to {place} with {pal}. They saw a {color} {toy}.",
            "\"[I want it|I saw it first|It is mine]!\" said {hero}. \"[No, I want it|No, it is mine|I want to play with it too]!\" said {friend}.",
            "They both pulled the {toy}. [They pulled and pulled.|They were very angry.|] [Then the {toy} fell down.|Then the {toy} broke.|Then {friend} began to cry.]",
            "{hero} [felt bad|was sorry|stopped and thought]. \"[I am sorry|I do not want to fight|Let us not fight], {friend}. [We can share|You can go first|We can play together],\" {he} said.",
            "{friend} [smiled|nodded|stopped being angry]. \"[Yes, let us share|That is a good idea|I am sorry too],\" {fhe} said.",
            "So they [took turns with|shared|played with] the {color} {toy} [all day|until the sun went down|and had so much fun]. [They learned that {lesson}.|{hero} learned that {lesson}.]",
        ],
    },
    {   # Afraid of something at night, and it turns out to be small.
        "slots": {"sound": ["tap, tap, tap", "scratch, scratch", "whoosh", "boom, boom", "knock, knock"],
                  "light": ["lamp", "candle"]},
        "text": [
            "{hero} [was afraid of the dark|did not like the dark]. One night, {he} [was in bed|could not sleep] and heard a sound. \"{sound}!\"",
            "\"[What is that|Who is there]?\" {he} [asked|whispered]. {He} [hid under the blanket|was very scared|held {his} pillow].",
            "{He} called {his} {parent}. \"[There is a monster|I am scared|I heard a noise]!\" [said {hero}|{he} said|{he} cried].",
            "{His} {parent} came with a {light}. \"[Let us look together|Be brave, {hero}|There is nothing to fear],\" {phe} said. [They went to the window.|They walked slowly to the window.|]",
            "They looked outside. It was only [a tree in the wind|a little cat|the rain|an old owl|a bird|{pal}|{pal}]! [{hero} laughed and laughed.|{hero} began to laugh.|\"Oh, it was not a monster,\" said {hero}.]",
            "{His} {parent} [kissed {him} good night|gave {him} a big hug|left the {light} on]. After that, {hero} was [not afraid of the dark|brave at night|not scared any more].",
        ],
    },
    {   # Cooking with something missing.
        "slots": {"dish": ["cake", "soup", "pie", "bread", "cookies", "jam", "salad", "stew"],
                  "need": ["eggs", "milk", "honey", "apples", "salt", "butter", "carrots", "berries"]},
        "text": [
            "[One day|Today], {hero} wanted to make {dish} for {his} {parent}. [{He} put on a white hat.|{He} washed {his} hands.|{He} took a big bowl.]",
            "But {he} [had no|could not find any|did not have any] {need}! \"[Oh no! I|What can I do? I] need {need} for the {dish},\" said {hero}.",
            "{He} went to {pal}. \"[Do you have|Can I have|May I have] some {need}?\" {he} asked.",
            "\"Yes[, I have {need}|, of course|, here you are],\" said {friend}. \"[Can I help you|May I come too|Can we make it together]?\" \"[Yes, please|Of course|That would be fun]!\" said {hero}.",
            "They [mixed|stirred] and [mixed|stirred]. [The kitchen was a mess.|There was flour on the floor.|They sang a song.|] Soon the {dish} [was ready|smelled so good|was hot and sweet].",
            "{His} {parent} [came home|came in] and took a bite. \"[Yum|Wow|Mmm]! [This is the best {dish}|I love it|It tastes so good],\" {phe} said.",
            "[They all ate together.|They ate every bit.|They sat at the table and ate and laughed.]",
        ],
    },
    {   # A warning is not heeded.
        "slots": {"danger": ["touch the hot stove", "climb on the wall", "go into the cave", "play near the deep water",
                             "eat the sweets before dinner", "open the old box", "run in the house"]},
        "text": [
            "One day, {his} {parent} said, \"{hero}, do not {danger}. [It is not safe|It is a bad idea|You could get hurt].\" \"[Okay|Yes|I will not], {parent},\" said {hero}.",
            "But {hero} was [very curious|not a good listener|bored]. [When no one was looking|Later that day|After lunch], {he} [forgot the words|wanted to try it|did not listen].",
            "[\"It will be fine,\" {he} said.|\"Just one time,\" {he} said.|] {hero} began to {danger}. [Oh no|Bang|Oops]! {hero} [hurt {his} hand|fell down|got very dirty|was stuck|felt sick].",
            "{He} [cried|called for help|was scared]. {pal} heard {him} and [ran to get {his} {parent}|came to help|helped {him} up].",
            "\"I am sorry, {parent},\" said {hero}. \"[I should have listened|I did not listen|I will listen next time].\"",
            "{His} {parent} [hugged {him}|was not angry|wiped {his} tears]. \"[I am glad you are safe|Now you know|Thank you for telling the truth],\" {phe} said. From then on, {hero} [always listened|was more careful|listened to {his} {parent}].",
        ],
    },
    {   # A surprise present.
        "slots": {"color": COLORS, "size": SIZES, "toy": TOYS},
        "text": [
            "It was the birthday of {pal}. {hero} wanted to give {fhim} a {toy}, but {he} had [no money|nothing to give].",
            "\"What can I do?\" {hero} asked {his} {parent}. \"[You can make one|A gift from the heart is the best|Use your hands and your heart],\" said {his} {parent}.",
            "So {hero} [took some wood and paint|found some paper and glue|took a box and some string]. {He} worked [all day|very hard|for a long time]. {He} made a {size} {color} {toy}.",
            "{hero} [put it in a box|put a ribbon on it|hid it behind {his} back] and went to see {friend}. \"[Surprise|Happy birthday|This is for you], {friend}!\" {he} said.",
            "{friend} opened it and [smiled|gasped|jumped]. \"A {color} {toy}! [I love it|It is so pretty|It is the best gift]!\" {fhe} said. \"Did you make it?\" \"Yes,\" said {hero}.",
            "{friend} [hugged {hero}|gave {hero} a piece of cake|danced around the room]. [They played with the {toy} all day.|They ate cake and played games.]",
        ],
    },
    {   # A seed is planted.
        "slots": {"plant": ["flower", "tree", "bean", "pumpkin", "sunflower", "rose"], "lesson": LESSONS_WORK,
                  "count": ["two", "three", "five", "ten"]},
        "text": [
            "One day, {his} {parent} gave {him} a [tiny|small|little] seed. \"[Plant it and wait|If you take care of it, it will grow|This seed is magic],\" {phe} said.",
            "{hero} [dug a hole|went to the garden] and put the seed in the ground. {He} gave it water [every day|each morning].",
            "\"[Grow, little seed|Please grow],\" {he} said. But [nothing happened|there was no {plant}|{he} saw only dirt]. {hero} [was sad|felt sad|wanted to give up].",
            "{pal} came by. \"[Why are you sad|What is wrong], {hero}?\" {fhe} asked. \"My seed does not grow,\" said {hero}. \"[Just wait|It needs time|It needs sun and rain],\" said {friend}.",
            "So {hero} waited [for {count} days|and waited]. [Then it rained.|The sun came out.|] One morning, {he} saw [a small green leaf|something green]! \"[Look|It is growing], {friend}!\" {he} shouted.",
            "Soon there was a [big|tall|beautiful] {plant}. [Everyone came to see it.|{hero} danced around it.] {hero} learned that {lesson}.",
        ],
    },
    {   # The way home.
        "slots": {"place": PLACES, "chase": CREATURES, "sign": ["the river", "the moon", "the red flowers", "the tall tree", "the old bridge", "the stars"]},
        "text": [
            "One day, {hero} went to {place} with {his} {parent}. {He} saw a {chase} and ran after it. {He} ran [and ran|so fast|very far].",
            "Then {hero} stopped. [{He} could not see {his} {parent}.|{He} was all alone.|{He} did not know the way.] \"[Where am I|I am lost|Where is my {parent}]?\" {he} [said|cried].",
            "A {fkind} named {friend} [came out from behind a tree|was sitting on a rock|walked by]. \"[Why are you crying|Are you lost|What is wrong]?\" {fhe} asked.",
            "\"I [can not find|want to find|lost] my {parent},\" said {hero}. \"[Come with me|I know the way|Take my hand]. [We can follow|Let us follow|Just follow] {sign},\" said {friend}.",
            "They walked and walked. They [followed|saw] {sign}. [They sang a song so {hero} would not be scared.|It was getting dark.|{hero} was tired, but {he} did not stop.|]",
            "[At last|Then|Soon], {hero} saw {his} {parent}. \"[There you are|I was so worried|I looked for you everywhere]!\" said {his} {parent} [and hugged {him}|with a big hug].",
            "\"Thank you, {friend},\" said {hero}. [After that, {he} always stayed close to {his} {parent}.|They asked {friend} to come for dinner.|]",
        ],
    },
    {   # A race that teaches something.
        "slots": {"place": PLACES, "prize": ["a gold cup", "a big cake", "a red ribbon", "a basket of apples", "a shiny medal"]},
        "text": [
            "One day there was a big race to {place}. The prize was {prize}. {pal} said, \"[I am the fastest|I will win|No one can beat me]!\"",
            "{hero} was [slow|small], but {he} wanted to try. \"[You can not win|You are too slow|You will lose],\" said {friend} and laughed. {hero} [was sad|did not say a word|only smiled].",
            "\"One, two, three, go!\" {friend} ran [very fast|like the wind]. {hero} ran slowly[, step by step|, but {he} did not stop|].",
            "[On the way|After a while], {friend} [fell into a hole|hurt {fhis} foot|got stuck in the mud]. \"Help!\" {fhe} cried. The others ran past. But {hero} stopped.",
            "\"Take my hand,\" said {hero}, and {he} [pulled {friend} out|helped {friend} up]. \"[Why did you help me?|You could win now,]\" said {friend}. \"[You are my friend|Friends help each other],\" said {hero}.",
            "They [walked|went] to the end together, hand in hand. Everyone [cheered|clapped]. They [shared|both got] {prize}. \"[I am sorry I laughed|You are the real winner],\" said {friend}.",
        ],
    },
    {   # A wish to a magic being.
        "slots": {"magic": ["fairy", "star", "fish", "old tree", "bird", "stone", "lamp"], "place": PLACES,
                  "color": COLORS, "toy": TOYS},
        "text": [
            "One day, {hero} found a magic {magic} near {place}. \"[I can give you one wish|You have one wish|Make a wish],\" said the {magic}.",
            "{hero} thought [for a long time|very hard|and thought]. \"I wish for [a {color} {toy}|a big house|a lot of sweets|wings to fly],\" {he} said. [Poof|Zap|Flash]! The wish came true!",
            "At first, {hero} was [very happy|so glad]. But {he} had no one to [play with|share it with|talk to]. {He} [felt alone|was sad|missed {friend}].",
            "{He} went back to the {magic}. \"[Please help me|I made a mistake]. I [do not want this wish|want my friend|miss my friend {friend}],\" said {hero}.",
            "The {magic} [smiled|was kind|shined bright]. \"[A friend is better than any wish|You are wise, {hero}|Now you know what is important],\" it said. Then it was gone.",
            "{hero} ran [home|to the house of {friend}] and saw {pal}. They [hugged|laughed] and played [in the sun|all day|until dark]. {hero} did not need a wish any more.",
        ],
    },
    {   # Rain changes the plan.
        "slots": {"place": PLACES, "food": FOODS, "build": ["a house of pillows", "a boat of paper", "a tower of blocks", "a big ship from a box",
                                                          "a cave from a blanket", "a train of chairs"]},
        "text": [
            "{hero} wanted to go to {place} with {pal}. [They packed|{He} packed] a {food} [and some water|in a bag].",
            "But then [dark clouds came|the sky got gray]. [Drip, drop|Splash|Boom]! It began to rain. \"[Oh no|Now we can not go]!\" said {hero}. {He} [felt sad|was upset|looked out of the window].",
            "\"[I have an idea|Do not be sad|We can play inside],\" said {friend}. \"Let us make {build}!\" [\"Yes!\" said {hero}.|\"That is a great idea,\" said {hero}.]",
            "They worked [together|for a long time] and made {build}. [Then they sat in it and ate the {food}.|They ate the {food} and told stories.|They shared the {food}.]",
            "{His} {parent} [came to see|looked in]. \"[Wow|How nice]! [Can I come in|May I play too]?\" {phe} asked. They all [played|laughed] together.",
            "Then the rain stopped. [They saw a rainbow in the sky.|The sun came out.|{hero} and {friend} jumped in the puddles.] \"I like rain,\" said {hero}.",
        ],
    },
    {   # A lie and the truth.
        "slots": {"food": ["cake", "pie", "bun", "cookie", "sandwich"]},
        "text": [
            "{His} {parent} made a [big|yummy] {food} and put it on the table. \"[It is for dinner|Please wait until dinner],\" {phe} said.",
            "But {hero} was [very hungry|so hungry]. {He} [looked at|smelled] the {food}. [\"Just one bite,\" {he} thought.|] {He} took a bite, and then one more. Soon the {food} was gone.",
            "\"Who ate the {food}?\" asked {his} {parent}. \"[It was {friend}|{friend} ate it],\" said {hero}. {pal} [was sad|looked down|began to cry]. \"I did not eat it,\" said {friend}.",
            "{hero} [felt bad|felt a knot in {his} tummy|could not look at {friend}]. {He} [thought for a while|knew it was wrong]. \"I am sorry,\" {he} said. \"I ate the {food}. [It was not {friend}|I told a lie].\"",
            "{His} {parent} [sat down|took {his} hand]. \"[Thank you for telling the truth|It is good to tell the truth|I am proud of you for being honest],\" {phe} said.",
            "Then they made a new {food} together, and {hero} gave {friend} the [biggest|first] piece. [{friend} smiled again.|\"I forgive you,\" said {friend}.]",
        ],
    },
    {   # Someone new is alone.
        "slots": {"place": PLACES, "game": ["hide and seek", "tag", "ball", "a new game", "pirates"], "lesson": LESSONS_KIND},
        "text": [
            "One day, {hero} was playing at {place}. {He} saw a new {fkind}. The {fkind} was [sitting alone|all alone|very quiet] and looked sad.",
            "{hero} [walked over|went to say hello|waved]. \"Hello, I am {hero}. What is your name?\" {he} asked. \"My name is {friend},\" said the {fkind}[ in a soft voice|].",
            "\"[Why are you sad|Are you okay], {friend}?\" asked {hero}. \"I am new here and I have no friends,\" said {friend}.",
            "\"[I can be your friend|Come and play with me|Do not be sad]!\" said {hero}. \"[Do you want to play {game}?\" \"Yes, I love it,\" said {friend}.|Let us play {game}!\" {friend} smiled.]",
            "They played {game} [all day|until dinner|and laughed a lot]. [Then they shared a {food}.|They ran and jumped.|They had so much fun.|]",
            "When it was time to go home, {friend} said, \"[Thank you for being my friend.|Can we play again tomorrow?|I am so happy now.]\" [\"See you tomorrow,\" said {hero}.|] {hero} learned that {lesson}.",
        ],
    },
    {   # Building something that breaks.
        "slots": {"build": ["a sand castle", "a tree house", "a snowman", "a little boat", "a bird house", "a tall tower"], "color": COLORS,
                  "force": ["a big wave", "the strong wind", "a big dog", "the rain", "a heavy rock"], "lesson": LESSONS_WORK},
        "text": [
            "{hero} and {pal} wanted to make {build}. They worked [all morning|very hard|for a long time].",
            "\"[It is beautiful|It is almost done|We are good at this],\" said {friend}. [They put a {color} flag on top.|They painted it {color}.|]",
            "But then {force} came [and broke it|and knocked it down]. [Crash|Oh no|Splash]! {hero} [cried|was angry|was very sad]. \"All our work is gone,\" {he} said.",
            "{friend} [patted {his} back|thought for a moment|took a deep breath]. \"[We can make it again|Let us try again|We can make it better],\" {fhe} said.",
            "{hero} [wiped {his} eyes|nodded|looked up]. \"[You are right|Okay|Yes, let us do it],\" {he} said. They [found a better place|used bigger stones|asked {his} {parent} to help].",
            "[Soon|At last|Before dark], they had made {build} again, and it was [bigger|stronger|better] than before. [{His} {parent} took a picture.|They were so proud.] They learned that {lesson}.",
        ],
    },
]

for _plot in PLOTS:
    _plot["slots"].setdefault("food", FOODS)
