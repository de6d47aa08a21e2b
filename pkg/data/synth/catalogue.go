package synth

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// The kinds of defect that the classes of the sets have.
var (
	surfaceDefects = []string{"burn", "crack", "debris", "dent", "discolor", "displaced", "gouge", "hole", "pits", "scratch", "shade", "smear", "spot", "stain", "thread", "wrinkle"}
	novelDefects   = []string{"bubble", "corrosion", "slit", "swirl"}
)

// thingDefects are surfaceDefects and those of an object's border, in the same order.
func thingDefects() []string {
	return slices.Sorted(slices.Values(append(slices.Clone(surfaceDefects), "missing")))
}

// varied returns the classes whose pictures vary like photographs of many sources. Their
// names choose their parameters, so a new class is one more name.
func varied() []entry {
	var list []entry
	for _, row := range surfaceRows() {
		for _, in := range []struct {
			set   string
			names []string
		}{{SeenTextures, row.seen}, {Tuning, row.tuning}, {Novel, row.novel}} {
			for _, name := range in.names {
				list = append(list, entry{name, in.set, func() class { return newSurface(name, in.set, row.of) }})
			}
		}
	}
	for _, row := range thingRows() {
		list = append(list, entry{row.name, row.set, func() class { return newThing(row) }})
	}
	slices.SortFunc(list, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	return list
}

// surfaceRow is a family of textures and the names of its classes in each set.
type surfaceRow struct {
	of                  family
	seen, tuning, novel []string
}

func surfaceRows() []surfaceRow {
	return []surfaceRow{
		{of: plain, seen: []string{"cast_iron", "painted_panel", "plastic_sheet", "plaster_wall", "cardboard", "ceramic_glaze"}, tuning: []string{"enamel"}},
		{of: lined, seen: []string{"rolled_steel", "ground_aluminium", "polished_copper", "drawn_tin", "paper_sheet"}, tuning: []string{"satin_nickel"}},
		{of: cloth, seen: []string{"linen", "denim", "canvas", "cotton_twill", "jute_sack", "nylon_web"}, tuning: []string{"gabardine"}},
		{of: timber, seen: []string{"pine_board", "oak_veneer", "walnut_plank", "bamboo_panel"}, tuning: []string{"cherry_board"}},
		{of: terrazzo, seen: []string{"terrazzo", "granite", "chipboard", "kitchen_counter"}, tuning: []string{"nougat"}},
		{of: bricks, seen: []string{"brick_wall", "mosaic", "parquet", "paving"}, tuning: []string{"subway_tiles"}},
		{of: hexagons, seen: []string{"hexagon_tiles", "bathroom_floor", "turtle_shell"}},
		{of: veined, seen: []string{"marble", "onyx", "slate"}},
		{of: pebbled, seen: []string{"leather", "vinyl_seat", "hammered_paint", "golf_grip"}, tuning: []string{"snake_leather"}},
		{of: pierced, seen: []string{"perforated_plate", "speaker_cover", "peg_board", "drain_cover"}, tuning: []string{"cheese_grater"}},
		{of: grille, seen: []string{"wire_mesh", "window_screen", "trellis", "radiator"}},
		{of: striped, seen: []string{"striped_shirt", "awning", "mattress_cover", "ribbon"}},
		{of: dotted, seen: []string{"dotted_paper", "polka_cotton", "blister_foil"}},
		{of: checked, seen: []string{"plaid_blanket", "table_cloth", "graph_paper"}, tuning: []string{"kilt"}},
		{of: gravel, seen: []string{"gravel", "coffee_beans", "rice", "lentils"}},
		{of: felt, seen: []string{"felt", "carpet", "paper_towel", "glass_wool"}, tuning: []string{"fleece"}},
		{of: crumpled, seen: []string{"crushed_foil", "broken_glass", "crystal_zinc"}},
		{of: ribbed, seen: []string{"corduroy", "corrugated_sheet", "rubber_mat", "conveyor_belt"}, tuning: []string{"washboard"}},
		{of: porous, seen: []string{"concrete", "sandstone", "sponge", "aerated_block"}},
		{of: traced, seen: []string{"circuit_board", "solar_cell", "flex_cable"}},
		{of: zigzag, seen: []string{"herringbone", "chevron_floor", "bandage"}},
		{of: shingled, seen: []string{"roof_shingles", "fish_skin", "sequins"}},
		{of: rippled, seen: []string{"sand", "water_silk", "frosting"}},
		{of: basket, seen: []string{"wicker", "rattan_seat", "straw_mat"}},
		{of: honeycomb, novel: []string{"honeycomb_core"}},
		{of: knit, novel: []string{"wool_sweater", "bandage_sleeve"}},
		{of: tread, novel: []string{"tread_plate"}},
		{of: quilted, novel: []string{"quilted_jacket"}},
		{of: patina, novel: []string{"patina_bronze"}},
	}
}

// more returns four classes for each seen one, of the same family with parameters of their own.
func more() []entry {
	var list []entry
	for _, of := range entries(Seen) {
		for n := range 4 {
			name := fmt.Sprintf("%s_%d", of.name, n+2)
			list = append(list, entry{name, More, func() class {
				v := of.build()
				v.name, v.set = name, More
				r := (picture{class: name}).stream("class")
				v.scene, v.gray = v.fresh(r), r.Float64() < 0.3
				return v
			}})
		}
	}
	return list
}

func newSurface(name, set string, of family) class {
	r := (picture{class: name}).stream("class")
	fresh := func(class *rand.Rand) func(*rand.Rand, float64) scene { return dress(of, class) }
	return class{name: name, set: set, defects: defectsOf(set, surfaceDefects, r), scene: fresh(r), fresh: fresh, rough: true, gray: r.Float64() < 0.35}
}

// thingRow is a class of objects: its shape, its material and what it lies on.
type thingRow struct {
	name, set string
	shape     outline
	of, on    family
}

func thingRows() []thingRow {
	return []thingRow{
		{"steel_disc", SeenObjects, disc, lined, plain},
		{"biscuit", SeenObjects, disc, porous, cloth},
		{"clay_plate", SeenObjects, disc, plain, timber},
		{"bottle_cap", SeenObjects, toothed, plain, plain},
		{"rubber_seal", SeenObjects, ring, plain, lined},
		{"bearing", SeenObjects, ring, lined, felt},
		{"wooden_ring", SeenObjects, ring, timber, plain},
		{"name_plate", SeenObjects, slab, lined, plain},
		{"soap_bar", SeenObjects, slab, plain, hexagons},
		{"phone_cover", SeenObjects, slab, pebbled, timber},
		{"playing_card", SeenObjects, slab, dotted, felt},
		{"ceramic_tile", SeenObjects, slab, veined, plain},
		{"battery", SeenObjects, rod, plain, ribbed},
		{"pencil", SeenObjects, rod, timber, plain},
		{"steel_pin", SeenObjects, rod, lined, plain},
		{"cigar", SeenObjects, rod, felt, timber},
		{"fuse", SeenObjects, scattered(rod), plain, plain},
		{"hex_nut", SeenObjects, polygon, plain, lined},
		{"road_sign", SeenObjects, polygon, plain, bricks},
		{"chocolate_piece", SeenObjects, polygon, plain, crumpled},
		{"paving_stone", SeenObjects, polygon, terrazzo, gravel},
		{"sprocket", SeenObjects, toothed, lined, plain},
		{"control_knob", SeenObjects, toothed, ribbed, lined},
		{"paper_flower", SeenObjects, toothed, plain, cloth},
		{"almond", SeenObjects, leaf, timber, plain},
		{"tree_leaf", SeenObjects, leaf, veined, plain},
		{"contact_pad", SeenObjects, leaf, dotted, plain},
		{"potato", SeenObjects, egg, porous, cloth},
		{"river_stone", SeenObjects, egg, veined, gravel},
		{"lemon", SeenObjects, egg, pebbled, plain},
		{"wood_screw", SeenObjects, headed, lined, plain},
		{"light_bulb", SeenObjects, headed, plain, felt},
		{"perfume_bottle", SeenObjects, headed, plain, veined},
		{"shelf_bracket", SeenObjects, angled, plain, timber},
		{"pipe_joint", SeenObjects, angled, lined, porous},
		{"candy_pieces", SeenObjects, scattered(disc), plain, plain},
		{"tablets", SeenObjects, scattered(disc), plain, ribbed},
		{"washers", SeenObjects, scattered(ring), lined, cloth},
		{"cashew_nuts", SeenObjects, scattered(egg), plain, plain},
		{"seeds", SeenObjects, scattered(leaf), plain, felt},
		{"cork_stopper", SeenObjects, slab, porous, plain},
		{"woven_patch", SeenObjects, slab, cloth, lined},
		{"brake_pad", SeenObjects, slab, terrazzo, plain},
		{"gold_coin", SeenObjects, disc, lined, felt},
		{"lens", SeenObjects, disc, plain, cloth},
		{"sieve", SeenObjects, disc, grille, plain},

		{"valve_cap", Tuning, toothed, plain, lined},
		{"roof_slate", Tuning, slab, veined, plain},
		{"drumstick", Tuning, rod, timber, felt},
		{"plum_stone", Tuning, egg, pebbled, plain},
		{"gasket", Tuning, ring, plain, plain},
		{"beads", Tuning, scattered(disc), plain, cloth},

		{"hose_clip", Novel, horseshoe, lined, plain},
		{"memory_chip", Novel, combed, plain, traced},
		{"open_spanner", Novel, dumbbell, plain, timber},
	}
}

func newThing(row thingRow) class {
	r := (picture{class: row.name}).stream("class")
	return class{
		name: row.name, set: row.set, defects: defectsOf(row.set, thingDefects(), r), object: true, scene: thing(row.shape, row.of, row.on, r), rough: true, gray: r.Float64() < 0.25,
		fresh: func(class *rand.Rand) func(*rand.Rand, float64) scene {
			return thing(row.shape, seenFamily(class), seenFamily(class), class)
		},
	}
}

// defectsOf returns a class's kinds of defect in an order of its own, so that a few pictures
// of many classes show all kinds.
func defectsOf(set string, usual []string, class *rand.Rand) []string {
	kinds := slices.Clone(usual)
	if set == Novel {
		kinds = slices.Clone(novelDefects)
	}
	class.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	return kinds
}

// seenFamily draws a family of surfaces that SeenTextures has; every second is plain or lined.
func seenFamily(r *rand.Rand) family {
	if r.IntN(2) == 0 {
		return [...]family{plain, lined}[r.IntN(2)]
	}
	for rows := surfaceRows(); ; {
		if row := rows[r.IntN(len(rows))]; row.seen != nil {
			return row.of
		}
	}
}
