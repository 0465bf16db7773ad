package chart_test

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/view/chart"
)

// TestPicturesSayWhatTheyShow: each picture is well-formed, has a title and a description, no style=, and escapes its texts.
func TestPicturesSayWhatTheyShow(t *testing.T) {
	t.Parallel()
	hostile := `<script>"x"&`
	for name, svg := range map[string]string{
		"bars": string(chart.Bars{ID: "a", Title: hostile, Desc: "Land 100", Bars: []chart.Bar{
			{Label: hostile, Value: 100, Text: "$1.00"}, {Label: "Nothing", Value: 0, Text: "$0.00"}, {Label: "Less", Value: -5, Text: "−$0.05"}}}.SVG()),
		"days": string(chart.Days{ID: "b", Title: "Days", Desc: hostile, Labels: []string{"1", "", "3"},
			Now: chart.Series{Name: hostile, Values: []int64{0, 5}}, Before: chart.Series{Name: "before", Values: []int64{10, 0, 1}}}.SVG()),
	} {
		d := xml.NewDecoder(strings.NewReader(svg))
		count := map[string]int{}
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err, name)
			if e, ok := token.(xml.StartElement); ok {
				count[e.Name.Local]++
				for _, a := range e.Attr {
					require.NotEqual(t, "style", a.Name.Local, name)
				}
			}
		}
		require.Equal(t, 1, count["title"], name)
		require.Equal(t, 1, count["desc"], name)
		require.Zero(t, count["script"], name)
		require.Contains(t, svg, `role="img"`)
	}
}

// TestBarsAreInProportion: the largest bar is as wide as the picture, the others in proportion, nothing is drawn for none.
func TestBarsAreInProportion(t *testing.T) {
	t.Parallel()
	svg := string(chart.Bars{ID: "a", Bars: []chart.Bar{{Value: 400}, {Value: 100}, {Value: 0}, {Value: 1}}}.SVG())
	require.Equal(t, 3, strings.Count(svg, `class="chart-bar"`))
	for _, width := range []string{`width="100.00%"`, `width="25.00%"`, `width="0.40%"`} {
		require.Contains(t, svg, width)
	}
}
