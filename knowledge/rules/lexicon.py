"""Closed word classes and semantic word lists of English that the rules look words up in.

Only words of the language stand here, never the vocabulary of a corpus. Open classes (verbs, nouns,
adjectives) come from lemminflect's dictionary instead.
"""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """A word list written as running text."""
    return frozenset(text.split())


ARTICLES = words("a an the")
DETERMINERS = ARTICLES | words(
    """
    this that these those each every either neither another any some all both no
    """
)
SUBJECT_PRONOUNS = words("he she it they i we you")
PRONOUNS = SUBJECT_PRONOUNS | words(
    """
    him her them me us himself herself itself themselves myself ourselves yourself yourselves oneself
    someone somebody something anyone anybody anything everyone everybody everything nobody nothing one
    ones others another none who whom whose which what this that these those there here hers his theirs
    its mine ours yours
    """
)
POSSESSIVES = words("his her its their my our your whose")
MASCULINE = words("he him his himself")
FEMININE = words("she her hers herself")
PLURAL_PRONOUNS = words("they them their theirs themselves")
FIRST_OR_SECOND_PERSON = words("i me my mine we us our ours you your yours myself ourselves yourself")

BE_FORMS = words("is are was were be been being am")
HAVE_FORMS = words("has have had having")
DO_FORMS = words("do does did")
NORM_MODALS = words("must shall")
HEDGING_MODALS = words(
    """
    may might could would should can will cannot can't won't wouldn't couldn't shouldn't
    """
)
MODALS = NORM_MODALS | HEDGING_MODALS
NEGATIONS = words(
    """
    not never no none nobody nothing neither nor hardly scarcely barely rarely seldom without cannot
    isn't aren't wasn't weren't hasn't haven't hadn't doesn't don't didn't can't won't wouldn't couldn't
    shouldn't mustn't n't
    """
)
HEDGES = words(
    """
    perhaps maybe possibly probably likely unlikely allegedly reportedly supposedly apparently
    presumably purportedly seemingly hopefully potentially rumoured rumored if unless whether almost
    nearly
    """
)
#: Verbs whose complement is not asserted: what follows them did not (or did not yet) happen.
HEDGING_VERBS = words(
    """
    hope expect want wish seem appear consider believe think suppose assume guess doubt allege
    speculate rumour rumor anticipate ought
    """
)
SPEECH_VERBS = words(
    """
    say tell state claim argue believe think note add explain announce report suggest write comment
    remark insist admit reply ask warn confirm mention observe conclude declare
    """
)

PREPOSITIONS = words(
    """
    about above across after against along alongside amid among amongst around as at before behind below
    beneath beside besides between beyond by concerning despite during except for from in inside into
    like near of off on onto opposite out outside over past per regarding round since than through
    throughout till to toward towards under underneath until up upon via with within worth
    """
)
SUBORDINATORS = words(
    """
    because although though while whereas when whenever where wherever if unless until since after
    before as that whether once lest provided
    """
)
RELATIVE_WORDS = words("who whom whose which that where when")

#: Adverbs that stand between subject and verb or after it and may be left out without changing the truth.
DROPPABLE_ADVERBS = words(
    """
    also then currently now today later subsequently finally eventually originally initially previously
    formerly soon still already however moreover furthermore therefore thus additionally instead
    meanwhile afterwards afterward nowadays recently mainly primarily mostly chiefly largely jointly
    officially formally first again since thereafter too notably famously successfully briefly there
    permanently regularly usually normally typically generally often sometimes always daily weekly
    monthly annually yearly directly personally together twice once independently automatically manually
    temporarily gradually quickly slowly partly fully completely entirely publicly privately likewise
    """
)
#: Of these, the ones that carry meaning a fact must keep.
MEANINGFUL_ADVERBS = words(
    """
    originally initially previously formerly usually normally typically generally often sometimes mainly
    primarily mostly chiefly largely partly twice once daily weekly monthly annually yearly
    automatically manually regularly jointly together temporarily independently directly always first
    again
    """
)
DEGREE_ADVERBS = words("very highly most more less least quite rather too so well much")
APPROXIMATORS = words(
    """
    about around approximately roughly nearly almost over under circa some exactly
    """
)
RESTRICTIVE_ADVERBS = words("only solely merely exclusively just even")

NUMBER_WORDS = words(
    """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
    sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred
    thousand million billion trillion dozen half
    """
)
ORDINALS = words(
    """
    first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth
    fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth last
    """
)
NUMBERS_IN_ORDER = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen twenty
    """
SMALL_NUMBERS = {word: number for number, word in enumerate(NUMBERS_IN_ORDER.split())}
QUANTIFIERS = words(
    """
    many several few some most all both various numerous each every enough plenty hundreds dozens
    """
)

MONTHS_IN_ORDER = "january february march april may june july august september october november december"
MONTHS = MONTHS_IN_ORDER.split()
MONTH_NUMBERS = {month: number for number, month in enumerate(MONTHS, 1)}
MONTH_NUMBERS |= {month[:3]: number for number, month in enumerate(MONTHS, 1)} | {"sept": 9}
WEEKDAYS = words("monday tuesday wednesday thursday friday saturday sunday")
WEEKDAYS_PLURAL = frozenset(day + "s" for day in WEEKDAYS)
SEASONS = words("spring summer autumn fall winter")
TIME_UNITS = words(
    """
    second minute hour day night week weekend fortnight month quarter year decade century millennium
    season
    """
)
TIME_NOUNS = (
    TIME_UNITS
    | SEASONS
    | words(
        """
    morning afternoon evening noon midnight today tomorrow yesterday dawn dusk
    """
    )
)
#: Words that make a time relative to the moment of writing or of telling.
RELATIVE_TIME = words(
    """
    last next this previous following coming past current today yesterday tomorrow ago later earlier now
    recently
    """
)

MALE_NOUNS = words(
    """
    father son brother husband uncle nephew grandfather grandson king prince duke widower man boy actor
    stepfather stepson father-in-law son-in-law brother-in-law groom chairman businessman emperor monk
    """
)
FEMALE_NOUNS = words(
    """
    mother daughter sister wife aunt niece grandmother granddaughter queen princess duchess widow woman
    girl actress stepmother stepdaughter mother-in-law daughter-in-law sister-in-law bride chairwoman
    businesswoman empress nun
    """
)
KINSHIP = (
    (
        MALE_NOUNS
        & words(
            """
    father son brother husband uncle nephew grandfather grandson stepfather stepson father-in-law
    son-in-law brother-in-law widower
    """
        )
    )
    | (
        FEMALE_NOUNS
        & words(
            """
    mother daughter sister wife aunt niece grandmother granddaughter stepmother stepdaughter
    mother-in-law daughter-in-law sister-in-law widow
    """
        )
    )
    | words(
        """
    parent child sibling spouse partner cousin grandparent grandchild friend twin fiancé fiancée
    godfather godmother godson goddaughter ancestor descendant relative great-grandfather
    great-grandmother great-grandson great-granddaughter half-brother half-sister stepbrother stepsister
    girlfriend boyfriend
    """
    )
)
PERSON_NOUNS = (
    KINSHIP
    | MALE_NOUNS
    | FEMALE_NOUNS
    | words(
        """
    person individual adult baby guest guide chief head chair boss colleague mentor mentee coach captain
    president vice-president mayor minister secretary treasurer clerk nurse doctor physician surgeon
    architect chemist pilot cook chef judge lawyer attorney advocate accountant consultant assistant
    attendant apprentice intern trainee student pupil scholar academic scientist expert specialist
    professional analyst athlete poet author sculptor celebrity star hero heroine member fellow delegate
    deputy graduate candidate client customer patient tenant citizen resident native inhabitant
    immigrant refugee veteran soldier sergeant lieutenant colonel general admiral major corporal officer
    official ambassador diplomat bishop pope priest rabbi imam saint knight lord lady baron baroness
    earl count countess king queen victim suspect witness criminal thief murderer successor predecessor
    founder co-founder cofounder spokesperson chairperson salesperson layperson spokesman host hostess
    representative executive operative therapist receptionist webmaster postmaster headmaster
    headmistress schoolmaster dean provost principal curate curator custodian guardian heir heiress
    orphan neighbour neighbor ally rival opponent supporter sponsor patron donor creator inventor
    discoverer composer lyricist cinematographer screenwriter playwright mathematician physicist
    technician recruit crew contact cast lead undersecretary alumnus alumna monarch emperor empress
    shareholder stakeholder
    """
    )
)
#: Nouns that name a person or a company alike: the name decides.
AGENT_NOUNS = words(
    """
    manufacturer retailer supplier publisher producer maker provider distributor developer operator carrier
    insurer broadcaster wholesaler exporter importer contractor sponsor owner customer client partner member
    competitor winner employer leader host builder brewer lender investor vendor dealer founder co-founder
    subsidiary successor predecessor rival opponent ally donor patron supporter contributor
    """
)
#: Words in -er, -or, -ist, -ian, -ant, -eer that do not name people.
NOT_PERSON_NOUNS = words(
    """
    number order letter paper river tower computer server printer container factor sector motor monitor
    reactor sensor quarter chapter center centre matter power water winter summer layer cover border
    corner register answer theater theatre leather weather color colour error mirror floor door
    indicator processor compiler router scanner filter charger counter trailer cluster parameter meter
    metre diameter perimeter buffer folder header footer pointer newsletter flavor flavour humor humour
    harbor harbour labor labour honor honour rumor rumour behavior behaviour vapor vapour tumor tumour
    anchor interior exterior corridor elevator escalator generator calculator detector projector
    refrigerator ventilator radiator accelerator equator alligator vector tensor minor shelter shoulder
    ladder timber lumber rubber silver copper butter pepper dinner supper breakfast tender gender
    calendar disaster cancer fever finger feather lever liver hammer banner barrier boiler bumper burner
    cooler dryer washer cutter drawer dresser fiber fibre freezer heater helicopter jumper locker mixer
    oyster poster rocket roller ruler screwdriver semester shower slider slipper sneaker spider sticker
    thunder tiger transformer transmitter trigger tuner typewriter voucher wafer wrapper zipper other
    manner chamber charter sewer sweater quiver adapter adaptor amplifier cylinder encounter disorder
    hunger offer outer inner proper plaster remainder reminder receiver saucer surrender toaster tractor
    turnover transfer tier pier flier frontier carrier copier identifier multiplier modifier browser
    crawler parser linker debugger docker bunker blocker cracker fertilizer stabilizer sanitizer
    synthesizer skyscraper plant restaurant grant constant variant warrant covenant elephant pollutant
    deodorant antioxidant coolant lubricant quadrant pendant list mist fist twist wrist checklist
    shortlist playlist wishlist waitlist exist career beer deer veneer steer median meridian obsidian
    asian belgian norwegian italian russian victorian liquor manor odor rotor stator stupor tremor
    terror horror splendor armor armour favour favor rigor vigor valor candor ardor razor simulator
    emulator denominator numerator separator terminator resistor transistor capacitor inductor
    compressor thermistor divisor cursor precursor character newspaper wallpaper december november
    october september gutter shutter platter scatter clutter flutter litter bitter glitter twitter
    tricolor glacier boulder crater estuary miniseries
    barometer thermometer kilometer kilometre centimeter centimetre
    millimeter millimetre hectometer
    speedometer odometer altimeter
    """
)
#: Words in a capitalised name that say it does not name a person.
NON_PERSON_NAME_WORDS = words(
    """
    the township census high middle elementary memorial monument cemetery stadium arena territory colony
    entertainment pictures films music productions publishing motors airways express electric energy power steel
    oil gas mining chemical pharmaceuticals foods brewing brewery wine transport logistics shipping
    the project team department division office committee council board group company corporation corp
    inc ltd llc plc gmbh ag as ab asa bv sa co limited incorporated industries systems solutions
    services technologies technology software labs laboratory laboratories studio studios works partners
    associates holdings bank insurance university college school academy institute institution faculty
    museum gallery library archive theatre theater opera hall hotel hospital clinic church cathedral
    abbey castle palace tower bridge station airport port harbour harbor street road avenue square park
    garden gardens forest river lake mountain mount hill valley bay island islands sea ocean gulf cape
    desert city town village county district province state states region republic kingdom union united
    federation ministry agency authority commission association society foundation trust club fc afc
    league cup trophy award prize medal championship championships festival olympics games tournament
    conference summit congress parliament senate house court party army navy force forces airlines
    airways railway railways line journal magazine newspaper times post herald press review news radio
    television tv channel network records music band orchestra choir symphony album song film movie
    series show plan report policy protocol system platform programme program model version release
    edition unit plant factory mill mine farm dam reactor act law treaty agreement war battle revolution
    north south east west northern southern eastern western central national international royal federal
    european american british english french german african asian building complex center centre market
    store shop restaurant café cafe bar inn operation initiative campaign fund budget squad crew fleet
    ship boat vessel class monday tuesday wednesday thursday friday saturday sunday january february
    march april june july august september october november december research development marketing
    sales engineering finance operations security data cloud infrastructure support human resources
    quality safety science sciences arts medicine employee employees handbook guide manual overview
    introduction incident history annual meeting california carolina mexico africa america asia europe australia
    zealand britain ireland scotland wales england norway sweden finland denmark germany france spain italy greece
    peak gap glacier olympiad olympiads party copa liga ligue coppa serie bundesliga beauty coffee house
    """
)
ORGANISATION_WORDS = words(
    """
    team department division office committee council board group company corporation corp inc ltd llc
    plc gmbh ag as ab asa bv sa limited industries systems solutions technologies technology software
    labs laboratory laboratories studio studios partners associates holdings bank insurance university
    college school academy institute institution faculty museum gallery library club agency authority
    commission association society foundation trust union ministry firm business manufacturer startup
    start-up squad crew band orchestra choir party organisation organization publisher supplier
    contractor consortium newspaper magazine network airline brewery cooperative charity hospital clinic
    unit government
    """
)
PLACE_WORDS = words(
    """
    city town village municipality borough suburb district county province state region country island
    continent valley river lake mountain harbour harbor port site campus street building headquarters
    capital location place venue office room hall floor address hometown birthplace area neighbourhood
    neighborhood home residence base settlement station commune parish hamlet peninsula
    """
)
PLACE_PREPOSITIONS = words("in at near outside inside within on beside opposite under above")

#: Nouns that stand for a named thing once it has been introduced ("the company", "the museum").
ANAPHORIC_NOUNS = words(
    """
    company firm business organisation organization corporation manufacturer agency institute
    institution university college school academy museum gallery library theatre theater hospital clinic
    hotel restaurant club team band group orchestra choir project programme program initiative campaign
    product device machine system service platform app application tool engine model software website
    site city town village municipality country region island river lake mountain bridge tower building
    castle palace church cathedral station airport port harbour harbor park garden street road railway
    line ship boat vessel aircraft plane car train film movie series show novel book play poem album
    song single journal magazine newspaper game tournament festival event conference exhibition award
    prize foundation charity trust society association committee department division office plant
    factory mill mine farm laboratory lab observatory telescope satellite mission spacecraft species
    planet star disease drug incident outage accident fire battle war treaty law policy bank brewery
    pub inn tavern shop store bakery winery
    """
)
#: Kinds that stand before the name: "Project Kestrel", "Lake Como".
PREFIXED_KINDS = words(
    """
    project programme program lake river team hotel building station mission operation campaign
    """
)
#: Class nouns that may stand for one another: a definite description finds its antecedent within a row.
CLASS_SYNONYMS = (
    words(
        """
    company firm business corporation manufacturer organisation organization start-up startup retailer
    supplier publisher brewery bank airline enterprise producer maker agency
    """
    ),
    words("city town village municipality settlement commune place"),
    words("film movie picture documentary comedy drama thriller"),
    words("book novel"),
    words("album record"),
    words("series show programme sitcom"),
    words("ship boat vessel ferry"),
    words("school college academy university institution institute"),
    words("project programme program initiative"),
    words("product device machine system appliance"),
    words("app application software tool platform service system"),
    words("team club side"),
    words("band group"),
    words("journal magazine newspaper publication periodical"),
    words("theatre theater venue"),
    words("charity foundation organisation organization trust association society"),
    words("incident outage accident event"),
    words("laboratory lab"),
)
#: Place-less adjectives that make a definite description point outside its sentence.
CONTEXT_ADJECTIVES = words(
    """
    same other new old previous former latter following above below first second third last next current
    present main entire whole own different similar such further said respective remaining original
    final recent existing resulting corresponding upper lower left right early late larger smaller
    """
)
#: Parts and facilities that a text about one thing means as that thing's own: "the station" of a town.
PART_NOUNS = words(
    """
    station hall market church school library harbour harbor port bridge park office headquarters clubhouse
    roof tower entrance collection garden shop café cafe restaurant team squad board committee council
    department staff crew site plant warehouse factory workshop laboratory kitchen battery screen engine motor
    camera sensor frame firmware database server prototype pilot phase launch stadium pitch coach
    captain fee membership ticket admission tour orchestra choir house desk building room car machine archive
    theatre theater cinema pool gym canteen reception helpdesk hotline website newsletter festival fair square
    fountain mill brewery hospital clinic airport cathedral abbey castle wall gate cemetery lighthouse pier
    terminal platform lobby auditorium studio gallery wing floor cellar chapel dome steeple clock organ
    """
)
#: Nouns whose amount follows with "of": "a budget of 2 million euros".
MEASURES = words(
    """
    budget range population area length width height depth weight capacity price cost fee salary speed size
    diameter turnover revenue income volume duration power output altitude temperature age staff workforce
    circulation strength distance thickness radius rate share limit load resolution frequency memory mileage
    displacement draught wingspan endowment debt profit loss surplus deficit value worth mass density voltage
    bandwidth latency lifespan term discount premium allowance salary pension quota elevation perimeter
    """
)
#: Nouns that mean something only in the text around them.
VAGUE_NOUNS = words(
    """
    work idea plan task job matter issue problem thing process result change decision situation purchase effect
    time day case way place rest move deal offer step point fact question answer story
    """
)
#: Nouns that name a property of the thing a text is about: "the deadline" of a project.
RELATIONAL_NOUNS = words(
    """
    deadline budget owner manager leader lead sponsor customer client supplier price cost fee status goal aim
    purpose objective scope duration location address capacity population area height length width depth weight
    size colour color range speed motto slogan mayor president chairman chairwoman chair director founder author
    architect designer editor publisher capital currency language start end name code number version
    predecessor successor landlord patron curator headteacher head captain coach trainer treasurer secretary
    """
)
#: People that a text about one group means as that group's own: "members" of a club.
MEMBER_NOUNS = words(
    """
    members employees visitors players volunteers guests pupils students residents guides trainees
    """
)
#: Adjectives that say which kind is meant rather than what it is like: "the monthly meeting".
CLASSIFYING_ADJECTIVES = words(
    """
    monthly weekly daily yearly annual quarterly mobile digital electronic internal external national regional
    local public private medical financial legal technical social commercial industrial general central main
    official formal electric electrical nuclear solar chemical biological historical junior senior deputy
    """
)
ABBREVIATIONS = words(
    """
    v mr mrs ms dr prof rev hon gen col sgt lt capt st mt ft jr sr vs e.g i.e cf approx ca no nos vol pp p
    fig figs eq ed eds dept inc ltd co corp jan feb mar apr jun jul aug sep sept oct nov dec al est u.s
    u.k u.n d.c ph.d b.a m.a b.sc m.sc a.m p.m bros mme messrs gov sen rep pres assn ave blvd rd
    """
)
TITLES = words(
    """
    mr mrs ms miss dr prof professor sir dame lord lady king queen prince princess president captain
    colonel general pope saint st father sister rev reverend judge senator governor mayor
    """
)
PERSON_PARTICLES = words(
    """
    do e y de da di del della der den van von bin ibn al el la le du dos das af av ter ten
    """
)

#: Currency signs and words, and units that a number may carry.
CURRENCY = words(
    """
    € $ £ ¥ eur usd gbp nok sek dkk chf euro euros dollar dollars pound pounds kroner krona kronor yen
    francs franc
    """
)

#: First names that are ordinary words as well: with a surname after them they name a person.
WORDS_AS_FIRST_NAMES = words(
    """
    tom mark bill will grace rose jack frank grant art sue pat ray dean hope faith joy dawn eve ivy iris lily daisy
    violet ruby pearl amber rob bob nick dick jay robin martin victor max carol holly heather olive chase miles
   wade    penny ginger sandy sid len ben ken tim jim kit drew jean jade gene guy hank bob don ron dan sam al josh
    """
)

#: What happens, is given or is written: said of a thing just named, it is not that thing.
HAPPENINGS = words(
    """
    award prize medal event fire accident incident race report contract deal order letter law case game match
    season tour meeting conference course audit purchase sale outage failure attack strike war battle election
    """
)
#: Adjectives before a name that are no part of it: "the yearly Barrel Race".
BESIDE_NAMES = words("yearly annual monthly weekly daily quarterly famous popular renowned well-known")
