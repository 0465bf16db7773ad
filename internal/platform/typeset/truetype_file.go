package typeset

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// bytes returns the file.
func (t *trueType) bytes() []byte {
	be := binary.BigEndian
	words := func(values ...uint16) (b []byte) {
		for _, v := range values {
			b = be.AppendUint16(b, v)
		}
		return b
	}
	loca, long := t.loca()
	b := t.bounds
	head := words(1, 0, 1, 0, 0, 0, 0x5F0F, 0x3CF5, 0, t.unitsPerEm, 0, 0, 0, 0, 0, 0, 0, 0,
		uint16(b.left), uint16(b.bottom), uint16(b.right), uint16(b.top), 0, 8, 2, long, 0)
	hhea := words(1, 0, uint16(t.ascent), uint16(t.descent), 0, t.maxAdvance, uint16(b.left), 0, uint16(b.right), 1, 0, 0, 0, 0, 0, 0, 0, uint16(t.glyphs))
	maxp := words(1, 0, uint16(t.glyphs), uint16(t.maxPoints), uint16(t.maxContours), 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0)
	tables := map[string][]byte{"head": head, "hhea": hhea, "maxp": maxp, "hmtx": t.hmtx, "loca": loca, "glyf": t.glyf}
	if len(t.characters) > 0 {
		tables["cmap"] = t.cmap()
	}
	return assemble(tables)
}

// loca returns where each glyph begins, and head's word for its format.
func (t *trueType) loca() (table []byte, format uint16) {
	offsets := append(t.offsets, len(t.glyf))
	if len(t.glyf) >= 1<<17 {
		format = 1
	}
	for _, at := range offsets {
		if format == 1 {
			table = binary.BigEndian.AppendUint32(table, uint32(at))
		} else {
			table = binary.BigEndian.AppendUint16(table, uint16(at/2))
		}
	}
	return table, format
}

// cmap returns a table of the glyph of each character (OpenType, table cmap, format 4).
func (t *trueType) cmap() []byte {
	type segment struct{ first, last, glyph int }
	var all []segment
	for i, r := range t.characters {
		if n := len(all); n > 0 && all[n-1].last == int(r)-1 {
			all[n-1].last++
			continue
		}
		all = append(all, segment{int(r), int(r), i + 1})
	}
	all = append(all, segment{0xFFFF, 0xFFFF, 0x10000}) // no glyph
	log := 0
	for 2<<log <= len(all) {
		log++
	}
	var table []byte
	put := func(values ...int) {
		for _, v := range values {
			table = binary.BigEndian.AppendUint16(table, uint16(v))
		}
	}
	put(0, 1, 3, 1, 0, 12, 4, 16+8*len(all), 0, 2*len(all), 2<<log, log, 2*len(all)-2<<log)
	for _, s := range all {
		put(s.last)
	}
	put(0)
	for _, s := range all {
		put(s.first)
	}
	for _, s := range all {
		put(s.glyph - s.first)
	}
	for range all {
		put(0)
	}
	return table
}

// assemble writes the directory and the tables of a font file (OpenType, table directory).
func assemble(tables map[string][]byte) []byte {
	be := binary.BigEndian
	var names []string
	for name := range tables {
		names = append(names, name)
	}
	slices.SortFunc(names, cmp.Compare)
	log := 0
	for 2<<log <= len(names) {
		log++
	}
	file := be.AppendUint32(nil, 0x00010000)
	for _, v := range []int{len(names), 16 << log, log, 16*len(names) - 16<<log} {
		file = be.AppendUint16(file, uint16(v))
	}
	offset, head := len(file)+16*len(names), 0
	var body []byte
	for _, name := range names {
		table := tables[name]
		if name == "head" {
			head = offset + len(body)
		}
		file = append(file, name...)
		file = be.AppendUint32(file, checksum(table))
		file = be.AppendUint32(file, uint32(offset+len(body)))
		file = be.AppendUint32(file, uint32(len(table)))
		body = append(body, table...)
		for len(body)%4 != 0 {
			body = append(body, 0)
		}
	}
	file = append(file, body...)
	be.PutUint32(file[head+8:], 0xB1B0AFBA-checksum(file))
	return file
}

func checksum(table []byte) (sum uint32) {
	for len(table) >= 4 {
		sum += binary.BigEndian.Uint32(table)
		table = table[4:]
	}
	var last [4]byte
	copy(last[:], table)
	return sum + binary.BigEndian.Uint32(last[:])
}
