package bench

import (
	"cmp"
	"slices"
	"testing"
)

// A Row is a claim about speed and how it is measured.
type Row struct {
	Name    string // to choose it by
	Claim   string // what is measured beside what, in a line
	Measure func(t testing.TB, m *Meter)
}

// Rows are all there are, in the order they are told.
func Rows() []Row {
	return []Row{settle, scaling, runsAlone, ack, backlog, floor, form, give, mail, growth, footprint, calls}
}

// A Line is one comparison of a row: a line of the table. Its numbers are measures, not money.
type Line struct {
	Row    string   `json:"row"`
	Unit   string   `json:"unit"`             // of Ours and Beside
	Ours   float64  `json:"ours"`             // median
	Name   string   `json:"what,omitempty"`   // what Beside is
	Beside *float64 `json:"beside"`           // median; null: the goal is an absolute one
	Ratio  *float64 `json:"ratio"`            // median of the rounds' ratios
	Goal   *float64 `json:"goal"`             // of Ratio, or of Ours where there is none; null: shown only
	Better string   `json:"better,omitempty"` // "higher" or "lower"
	Met    bool     `json:"met"`
}

// Goal is what a line has to reach.
type Goal struct {
	Value  float64
	Better string
}

// AtLeast and AtMost are goals.
func AtLeast(v float64) Goal { return Goal{v, "higher"} }
func AtMost(v float64) Goal  { return Goal{v, "lower"} }

// Shown is no goal: the line informs.
var Shown = Goal{}

// met tells whether a value reaches the goal.
func (g Goal) met(v float64) bool {
	switch g.Better {
	case "higher":
		return v >= g.Value
	case "lower":
		return v <= g.Value
	default:
		return true
	}
}

// A Meter takes a row's samples and draws its lines.
type Meter struct {
	Rounds int
	Quick  bool                                // smaller numbers, for a look of minutes
	Step   func(row string, done, planned int) // told after each sample; nil: nobody is

	row     string
	samples map[string][]float64
	done    int
	planned int
	Lines   []Line
}

// NewMeter measures a row.
func NewMeter(row Row, rounds int, quick bool) *Meter {
	return &Meter{Rounds: rounds, Quick: quick, row: row.Name, samples: map[string][]float64{}}
}

// Interleave takes each turn once, and all of them Rounds times.
func (m *Meter) Interleave(turns ...func()) {
	m.planned += m.Rounds * len(turns)
	for range m.Rounds {
		for _, turn := range turns {
			turn()
			if m.done++; m.Step != nil {
				m.Step(m.row, m.done, m.planned)
			}
		}
	}
}

// Note keeps a sample under a name.
func (m *Meter) Note(name string, value float64) { m.samples[name] = append(m.samples[name], value) }

// Size is full, or quick for a quick look.
func (m *Meter) Size(full, quick int) int {
	if m.Quick {
		return quick
	}
	return full
}

// Compare draws the line "row: of": what was noted as ours, by what was noted as beside in the same round.
func (m *Meter) Compare(of, unit, ours, beside string, goal Goal) {
	a, b := m.samples[ours], m.samples[beside]
	ratios := make([]float64, min(len(a), len(b)))
	for i := range ratios {
		ratios[i] = a[i] / b[i]
	}
	besides, ratio := median(b), median(ratios)
	m.draw(Line{Row: m.named(of), Unit: unit, Ours: median(a), Name: beside, Beside: &besides, Ratio: &ratio}, goal, ratio)
}

// Absolute draws a line that has nothing beside it.
func (m *Meter) Absolute(of, unit, ours string, goal Goal) {
	value := median(m.samples[ours])
	m.draw(Line{Row: m.named(of), Unit: unit, Ours: value}, goal, value)
}

func (m *Meter) draw(line Line, goal Goal, judged float64) {
	if goal != Shown {
		line.Goal, line.Better = &goal.Value, goal.Better
	}
	line.Met = goal.met(judged)
	m.Lines = append(m.Lines, line)
}

func (m *Meter) named(of string) string {
	if of == "" {
		return m.row
	}
	return m.row + ": " + of
}

// median of an even number is the lower of the two in the middle; of none, 0.
func median[T cmp.Ordered](values []T) (middle T) {
	if len(values) == 0 {
		return middle
	}
	return slices.Sorted(slices.Values(values))[(len(values)-1)/2]
}

// percentile is the smallest value that so many of a hundred do not exceed.
func percentile[T cmp.Ordered](values []T, hundredths int) (at T) {
	if len(values) == 0 {
		return at
	}
	return slices.Sorted(slices.Values(values))[max((len(values)*hundredths+99)/100, 1)-1]
}
