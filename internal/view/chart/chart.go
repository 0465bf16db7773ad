// Package chart draws pictures of numbers as SVG for pages: bars, and columns by day beside those of another period.
//
// A picture answers one question. The page has the answer above it as a sentence, and the figures as a table below it, which
// says the same without the picture. In the picture labels stand at what they name. Series differ in shape, not only in
// colour, so that they can be told apart in print and by everybody. The pages' policy forbids style=: classes of office.css
// have the colours. Widths are per cent, so that text keeps its size on a phone.
package chart

import (
	"fmt"
	"html/template"
	"strings"
)

// Bar is one amount of Bars.
type Bar struct {
	Label string // what it is
	Value int64  // 0 or more is drawn; less is drawn as nothing
	Text  string // the value as people write it
}

// Bars are amounts side by side, each with its name and value at it.
type Bars struct {
	ID          string // unique in the page
	Title, Desc string // what screen readers say: what is shown, and the figures in words
	Bars        []Bar
}

// Heights in pixels.
const (
	barStep   = 46
	barHeight = 14
	plot      = 120 // of columns
	above     = 56  // the names of both series
	below     = 22  // days
)

// SVG returns the picture.
func (c Bars) SVG() template.HTML {
	var b strings.Builder
	begin(&b, c.ID, c.Title, c.Desc, barStep*len(c.Bars))
	most := int64(1)
	for _, bar := range c.Bars {
		most = max(most, bar.Value)
	}
	for i, bar := range c.Bars {
		y := barStep * i
		fmt.Fprintf(&b, `<text class="chart-label" x="0" y="%d">%s</text><text class="chart-value" x="100%%" y="%d">%s</text>`,
			y+14, template.HTMLEscapeString(bar.Label), y+14, template.HTMLEscapeString(bar.Text))
		fmt.Fprintf(&b, `<rect class="chart-rail" x="0" y="%d" width="100%%" height="%d"/>`, y+20, barHeight)
		if bar.Value > 0 {
			fmt.Fprintf(&b, `<rect class="chart-bar" x="0" y="%d" width="%s%%" height="%d"/>`, y+20, percent(bar.Value, most), barHeight)
		}
	}
	return end(&b)
}

// Series is one value for each day.
type Series struct {
	Name   string // with its sum
	Values []int64
}

// Days are columns by day, and the days of an earlier period as lines across.
type Days struct {
	ID          string
	Title, Desc string
	Now, Before Series
	Labels      []string // of the days; an empty one is not written
}

// SVG returns the picture.
func (c Days) SVG() template.HTML {
	var b strings.Builder
	begin(&b, c.ID, c.Title, c.Desc, above+plot+below)
	fmt.Fprintf(&b, `<rect class="chart-bar" x="0" y="4" width="12" height="12"/><text class="chart-label" x="18" y="15">%s</text>`,
		template.HTMLEscapeString(c.Now.Name))
	fmt.Fprintf(&b, `<line class="chart-before" x1="0" x2="12" y1="32" y2="32"/><text class="chart-label" x="18" y="37">%s</text>`,
		template.HTMLEscapeString(c.Before.Name))
	most := int64(1)
	for _, v := range append(append([]int64{}, c.Now.Values...), c.Before.Values...) {
		most = max(most, v)
	}
	floor := above + plot
	fmt.Fprintf(&b, `<line class="chart-floor" x1="0" x2="100%%" y1="%d" y2="%d"/>`, floor, floor)
	days := max(len(c.Labels), 1)
	for i, label := range c.Labels {
		x := 100 * float64(i) / float64(days)
		width := 100 / float64(days)
		if i < len(c.Now.Values) && c.Now.Values[i] > 0 {
			h := height(c.Now.Values[i], most)
			fmt.Fprintf(&b, `<rect class="chart-bar" x="%.2f%%" y="%d" width="%.2f%%" height="%d"/>`, x+width*.12, floor-h, width*.76, h)
		}
		if i < len(c.Before.Values) && c.Before.Values[i] > 0 {
			y := floor - height(c.Before.Values[i], most)
			fmt.Fprintf(&b, `<line class="chart-before" x1="%.2f%%" x2="%.2f%%" y1="%d" y2="%d"/>`, x, x+width, y, y)
		}
		if label != "" {
			fmt.Fprintf(&b, `<text class="chart-day" x="%.2f%%" y="%d">%s</text>`, x+width/2, floor+16, template.HTMLEscapeString(label))
		}
	}
	return end(&b)
}

func begin(b *strings.Builder, id, title, desc string, height int) {
	fmt.Fprintf(b, `<svg class="chart" role="img" aria-labelledby="%s-title %s-desc" width="100%%" height="%d" xmlns="http://www.w3.org/2000/svg">`,
		id, id, height)
	fmt.Fprintf(b, `<title id="%s-title">%s</title><desc id="%s-desc">%s</desc>`, id, template.HTMLEscapeString(title), id, template.HTMLEscapeString(desc))
}

func end(b *strings.Builder) template.HTML {
	b.WriteString(`</svg>`)
	return template.HTML(b.String()) //nolint:gosec // every text in it is escaped
}

// height returns the height of a column; a value above zero is always seen.
func height(value, most int64) int { return max(2, int(float64(plot)*float64(value)/float64(most))) }

// percent returns the width of a bar; a value above zero is always seen.
func percent(value, most int64) string {
	return fmt.Sprintf("%.2f", max(0.4, 100*float64(value)/float64(most)))
}
