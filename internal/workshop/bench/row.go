package bench

import (
	"cmp"
	"slices"
	"testing"
)

// A Row is a claim about speed and how it is measured.
type Row struct {
	Name    string // chooses the row on the command line
	Claim   string // what is compared with what, in one line
	Large   bool   // it measures a database with many gifts: see Large
	Measure func(t testing.TB, m *Meter)
}

// Rows returns all rows in the order of the table.
func Rows() []Row {
	return []Row{settle, scaling, runsAlone, ack, backlog, floor, form, give, whole, steady, mail, emails, growth, pages, officePages, export,
		checkers, footprint, calls}
}

// A Line is one comparison of a row: a line of the table. Its numbers are measurements, not money.
type Line struct {
	Row    string   `json:"row"`
	Unit   string   `json:"unit"`             // of Ours and Beside
	Ours   float64  `json:"ours"`             // median
	Name   string   `json:"what,omitempty"`   // name of the baseline
	Beside *float64 `json:"beside"`           // median; null: the goal is absolute
	Ratio  *float64 `json:"ratio"`            // median of the rounds' ratios
	Goal   *float64 `json:"goal"`             // for Ratio, or for Ours if there is no Ratio; null: no goal
	Better string   `json:"better,omitempty"` // "higher" or "lower"
	Met    bool     `json:"met"`
}

// Goal is the value that a line must reach.
type Goal struct {
	Value  float64
	Better string
}

// AtLeast and AtMost return goals.
func AtLeast(v float64) Goal { return Goal{v, "higher"} }
func AtMost(v float64) Goal  { return Goal{v, "lower"} }

// Shown means no goal: the line is for information.
var Shown = Goal{}

// met reports whether a value reaches the goal.
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

// A Meter collects a row's samples and creates its lines.
type Meter struct {
	Rounds int
	Quick  bool                                // smaller numbers, for a run of a few minutes
	Step   func(row string, done, planned int) // called after each sample; may be nil
	Rival  *Rival                              // the row settle measures it too; nil if there is none
	Large  *Large                              // is filled once for all rows that have it; nil: the row fills one

	row     string
	samples map[string][]float64
	done    int
	planned int
	Lines   []Line
}

// NewMeter returns a Meter for a row.
func NewMeter(row Row, rounds int, quick bool) *Meter {
	return &Meter{Rounds: rounds, Quick: quick, row: row.Name, samples: map[string][]float64{}}
}

// Interleave calls the turns one after another, and repeats this Rounds times.
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

// Note stores a sample under a name.
func (m *Meter) Note(name string, value float64) { m.samples[name] = append(m.samples[name], value) }

// Size returns full, or quick in a quick run.
func (m *Meter) Size(full, quick int) int {
	if m.Quick {
		return quick
	}
	return full
}

// Compare adds the line "row: of". The ratio divides each sample of ours by the sample of beside of the same
// round.
func (m *Meter) Compare(of, unit, ours, beside string, goal Goal) {
	a, b := m.samples[ours], m.samples[beside]
	ratios := make([]float64, min(len(a), len(b)))
	for i := range ratios {
		ratios[i] = a[i] / b[i]
	}
	besides, ratio := median(b), median(ratios)
	m.addLine(Line{Row: m.lineName(of), Unit: unit, Ours: median(a), Name: beside, Beside: &besides, Ratio: &ratio}, goal, ratio)
}

// Absolute adds a line without a baseline.
func (m *Meter) Absolute(of, unit, ours string, goal Goal) {
	value := median(m.samples[ours])
	m.addLine(Line{Row: m.lineName(of), Unit: unit, Ours: value}, goal, value)
}

func (m *Meter) addLine(line Line, goal Goal, value float64) {
	if goal != Shown {
		line.Goal, line.Better = &goal.Value, goal.Better
	}
	line.Met = goal.met(value)
	m.Lines = append(m.Lines, line)
}

func (m *Meter) lineName(of string) string {
	if of == "" {
		return m.row
	}
	return m.row + ": " + of
}

// median returns the lower middle value if their number is even, and 0 if there are none.
func median[T cmp.Ordered](values []T) (middle T) {
	if len(values) == 0 {
		return middle
	}
	return slices.Sorted(slices.Values(values))[(len(values)-1)/2]
}

// percentile returns the smallest value that is not exceeded by a number of hundredths of the values.
func percentile[T cmp.Ordered](values []T, hundredths int) (at T) {
	if len(values) == 0 {
		return at
	}
	return slices.Sorted(slices.Values(values))[max((len(values)*hundredths+99)/100, 1)-1]
}
