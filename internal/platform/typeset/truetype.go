package typeset

import (
	"encoding/binary"
	"math"

	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/font/opentype"
)

// trueType is a font file while it is written: the tables that a PDF needs (ISO 32000-1, 9.9), and glyphs made of
// quadratic curves. Outlines of any kind of font can be added; composed glyphs are flattened, and instructions for
// screens of low resolution are left out.
type trueType struct {
	unitsPerEm      uint16
	scale           float64 // of outlines to unitsPerEm
	characters      []rune  // of the glyphs from 1 on, in rising order; nil: the file does not tell
	ascent, descent int16
	glyf, hmtx      []byte
	offsets         []int // of the glyphs in glyf
	bounds          box
	maxPoints       int
	maxContours     int
	maxAdvance      uint16
	glyphs          int
}

type box struct {
	left, bottom, right, top int16
	any                      bool
}

func (b *box) add(x, y int16) {
	if !b.any {
		*b = box{x, y, x, y, true}
	}
	b.left, b.right = min(b.left, x), max(b.right, x)
	b.bottom, b.top = min(b.bottom, y), max(b.top, y)
}

func (b box) asList() [4]int16 { return [4]int16{b.left, b.bottom, b.right, b.top} }

type point struct {
	x, y int16
	on   bool // on the curve
}

// add adds a glyph.
func (t *trueType) add(outline []font.Segment, advance uint16) {
	t.offsets = append(t.offsets, len(t.glyf))
	contours := contoursOf(outline, t.scale)
	var b box
	points := 0
	for _, c := range contours {
		points += len(c)
		for _, p := range c {
			b.add(p.x, p.y)
		}
	}
	t.hmtx = binary.BigEndian.AppendUint16(t.hmtx, advance)
	t.hmtx = binary.BigEndian.AppendUint16(t.hmtx, uint16(b.left))
	t.glyphs++
	t.maxAdvance = max(t.maxAdvance, advance)
	if points == 0 {
		return
	}
	t.bounds.add(b.left, b.bottom)
	t.bounds.add(b.right, b.top)
	t.maxPoints, t.maxContours = max(t.maxPoints, points), max(t.maxContours, len(contours))
	t.glyf = appendGlyph(t.glyf, contours, b)
}

// appendGlyph writes a simple glyph (OpenType, table glyf).
func appendGlyph(to []byte, contours [][]point, b box) []byte {
	put := func(v int) { to = binary.BigEndian.AppendUint16(to, uint16(v)) }
	put(len(contours))
	for _, v := range b.asList() {
		put(int(v))
	}
	end := -1
	for _, c := range contours {
		end += len(c)
		put(end)
	}
	put(0) // no instructions
	var flags, xs, ys []byte
	var x, y int16
	for _, c := range contours {
		for _, p := range c {
			var flag byte
			if p.on {
				flag = 1
			}
			flag, xs = appendDelta(flag, xs, int(p.x)-int(x), 1<<1, 1<<4)
			flag, ys = appendDelta(flag, ys, int(p.y)-int(y), 1<<2, 1<<5)
			flags = append(flags, flag)
			x, y = p.x, p.y
		}
	}
	to = append(append(append(to, flags...), xs...), ys...)
	for len(to)%2 != 0 {
		to = append(to, 0)
	}
	return to
}

// appendDelta writes the distance to the next point in as few bytes as possible. short says that it is one byte; same
// says that a one-byte value is positive, or that the value is 0 and left out.
func appendDelta(flag byte, to []byte, d int, short, same byte) (byte, []byte) {
	switch {
	case d == 0:
		return flag | same, to
	case d > 0 && d < 256:
		return flag | short | same, append(to, byte(d))
	case d < 0 && d > -256:
		return flag | short, append(to, byte(-d))
	default:
		return flag, binary.BigEndian.AppendUint16(to, uint16(d))
	}
}

// contoursOf converts an outline to points. A point on the curve that lies in the middle of its neighbours is left out,
// as the format allows.
func contoursOf(outline []font.Segment, scale float64) [][]point {
	var all [][]point
	var current []opentype.SegmentPoint
	var on []bool
	finish := func() {
		if c := closed(current, on, scale); len(c) > 0 {
			all = append(all, c)
		}
		current, on = current[:0], on[:0]
	}
	add := func(p opentype.SegmentPoint, is bool) { current, on = append(current, p), append(on, is) }
	for _, s := range outline {
		switch s.Op {
		case opentype.SegmentOpMoveTo:
			finish()
			add(s.Args[0], true)
		case opentype.SegmentOpLineTo:
			add(s.Args[0], true)
		case opentype.SegmentOpQuadTo:
			add(s.Args[0], false)
			add(s.Args[1], true)
		case opentype.SegmentOpCubeTo:
			if len(current) == 0 {
				continue
			}
			for _, q := range quadratic(current[len(current)-1], s.Args) {
				add(q[0], false)
				add(q[1], true)
			}
		}
	}
	finish()
	return all
}

func closed(points []opentype.SegmentPoint, on []bool, scale float64) []point {
	n := len(points)
	if n > 1 && points[0] == points[n-1] && on[n-1] {
		n--
	}
	if n < 2 {
		return nil
	}
	var c []point
	for i := range n {
		before, after := (i+n-1)%n, (i+1)%n
		if on[i] && i > 0 && !on[before] && !on[after] && isMiddle(points[before], points[i], points[after]) {
			continue
		}
		c = append(c, point{int16(math.Round(float64(points[i].X) * scale)), int16(math.Round(float64(points[i].Y) * scale)), on[i]})
	}
	return c
}

func isMiddle(a, m, b opentype.SegmentPoint) bool {
	const tolerance = 0.01
	return math.Abs(float64(a.X+b.X-2*m.X)) < tolerance && math.Abs(float64(a.Y+b.Y-2*m.Y)) < tolerance
}

// quadratic returns quadratic curves that differ from a cubic one by less than half a unit, as control and end points.
func quadratic(from opentype.SegmentPoint, args [3]opentype.SegmentPoint) (curves [][2]opentype.SegmentPoint) {
	const allowed = 0.5
	deviation := math.Hypot(float64(args[2].X-3*args[1].X+3*args[0].X-from.X), float64(args[2].Y-3*args[1].Y+3*args[0].Y-from.Y)) * math.Sqrt(3) / 36
	n := min(max(1, int(math.Ceil(math.Cbrt(deviation/allowed)))), 8)
	at := func(t float32) opentype.SegmentPoint {
		u := 1 - t
		a, b, c, d := u*u*u, 3*u*u*t, 3*u*t*t, t*t*t
		return opentype.SegmentPoint{X: a*from.X + b*args[0].X + c*args[1].X + d*args[2].X, Y: a*from.Y + b*args[0].Y + c*args[1].Y + d*args[2].Y}
	}
	slope := func(t float32) opentype.SegmentPoint {
		u := 1 - t
		a, b, c := 3*u*u, 6*u*t, 3*t*t
		return opentype.SegmentPoint{
			X: a*(args[0].X-from.X) + b*(args[1].X-args[0].X) + c*(args[2].X-args[1].X),
			Y: a*(args[0].Y-from.Y) + b*(args[1].Y-args[0].Y) + c*(args[2].Y-args[1].Y),
		}
	}
	for i := range n {
		t0, t1 := float32(i)/float32(n), float32(i+1)/float32(n)
		p0, p1, s0, s1, h := at(t0), at(t1), slope(t0), slope(t1), (t1-t0)/4
		if i == n-1 {
			p1 = args[2]
		}
		// The mean of the two control points that the slopes at both ends give.
		control := opentype.SegmentPoint{X: (p0.X+p1.X)/2 + h*(s0.X-s1.X), Y: (p0.Y+p1.Y)/2 + h*(s0.Y-s1.Y)}
		curves = append(curves, [2]opentype.SegmentPoint{control, p1})
	}
	return curves
}
