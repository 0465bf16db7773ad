// Package accent decides which colours an organisation may have, and makes the stylesheet of one.
package accent

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
)

// Default is the colour of pages of no organisation, and of an organisation without a colour of its own.
const Default = "#7a1f1f"

// The backgrounds of static/app.css behind an accent, and the text colours on an accent.
const (
	lightPaper, darkSheet = "#f8f2e6", "#231d18"
	onLight, onDark       = "#ffffff", "#181410"
	minContrast           = 4.5 // for text of any size (WCAG 2.2, 1.4.3)
)

var hexColour = regexp.MustCompile(`^#[0-9a-f]{6}$`)

// Check reports an error if an organisation may not have this colour. The colour is written #rrggbb in lower
// case, and has a contrast of at least 4.5 with our light background and with white. For dark screens Sheet
// lightens it.
func Check(hex string) error {
	if !hexColour.MatchString(hex) {
		return fmt.Errorf("accent %q is not a colour: write #rrggbb in small letters, for example %s", hex, Default)
	}
	for _, ground := range []string{lightPaper, onLight} {
		if ratio := contrast(hex, ground); ratio < minContrast {
			return fmt.Errorf("accent %s has a contrast of %.1f with %s; choose a darker colour, so that it has %.1f", hex, ratio, ground, minContrast)
		}
	}
	return nil
}

// Sheet returns the stylesheet of a checked colour.
func Sheet(hex string) []byte {
	return fmt.Appendf(nil, ":root{--accent:%s;--on-accent:%s}@media(prefers-color-scheme:dark){:root{--accent:%s;--on-accent:%s}}\n",
		hex, onLight, lighten(hex), onDark)
}

// lighten returns the colour for dark screens: as bright as its hue allows, so that a dark red becomes red and not
// pink, then mixed with white until its contrast with the dark background is sufficient.
func lighten(hex string) string {
	rgb := Channels(hex)
	strength := 225 / max(slices.Max(rgb[:]), 1)
	for white := 0.0; white < 1; white += 0.04 {
		mixed := "#"
		for _, part := range rgb {
			part *= strength
			mixed += fmt.Sprintf("%02x", int(math.Round(part+(255-part)*white)))
		}
		if contrast(mixed, darkSheet) >= minContrast+1 {
			return mixed
		}
	}
	return "#ffffff"
}

// contrast returns WCAG's contrast ratio of two colours, 1 to 21.
func contrast(a, b string) float64 {
	la, lb := luminance(a), luminance(b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

func luminance(hex string) float64 {
	var sum float64
	for i, part := range Channels(hex) {
		part /= 255
		if part <= 0.04045 {
			part /= 12.92
		} else {
			part = math.Pow((part+0.055)/1.055, 2.4)
		}
		sum += part * [3]float64{0.2126, 0.7152, 0.0722}[i]
	}
	return sum
}

// Channels returns red, green and blue of a well-formed colour, each 0 to 255.
func Channels(hex string) [3]float64 {
	var rgb [3]float64
	for i := range rgb {
		part, _ := strconv.ParseUint(hex[1+2*i:3+2*i], 16, 8)
		rgb[i] = float64(part)
	}
	return rgb
}
