package view_test

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/org"
	"konbit/internal/view"
)

// place is where a word stands on a page, in points.
type place struct {
	page                     int
	left, top, right, bottom float64
	word                     string
}

var wordBox = regexp.MustCompile(`<page |<word xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([-\d.]+)" yMax="([-\d.]+)">(.*?)</word>`)

func places(t *testing.T, pdf []byte) (all []place) {
	t.Helper()
	page := 0
	for _, m := range wordBox.FindAllStringSubmatch(runPDFTool(t, pdf, "pdftotext", "-bbox", "-", "-"), -1) {
		if m[5] == "" {
			page++
			continue
		}
		p := place{page: page, word: m[5]}
		for i, v := range []*float64{&p.left, &p.top, &p.right, &p.bottom} {
			*v, _ = strconv.ParseFloat(m[i+1], 64)
		}
		all = append(all, p)
	}
	return all
}

// checkPlaces: no word covers another, and each is on the page.
func checkPlaces(t *testing.T, pdf []byte, about string) {
	t.Helper()
	const left, right, bottom = 66, 545, 785 // inside the margins
	all := places(t, pdf)
	require.NotEmpty(t, all)
	for i, a := range all {
		assert.True(t, a.left > left && a.right < right && a.top > 0 && a.bottom < bottom, "%s: outside the page: %+v", about, a)
		for _, b := range all[i+1:] {
			if a.page != b.page {
				continue
			}
			width, height := min(a.right, b.right)-max(a.left, b.left), min(a.bottom, b.bottom)-max(a.top, b.top)
			require.False(t, width > 0.5 && height > 0.4*(a.bottom-a.top), "%s: %+v covers %+v", about, a, b)
		}
	}
}

// TestReceiptNumberPrintsOverTheAmount: the longest slug and the largest amount fit in a statement and a receipt, in every
// language.
func TestReceiptNumberPrintsOverTheAmount(t *testing.T) {
	t.Parallel()
	v := newView(t)
	slugs := []string{"GI", "GRASSROOTS-INTERNATIONAL", strings.Repeat("WM", org.MaxSlug/2), strings.Repeat("ORGANIZAC-", 3) + "ORGANIZACI"}
	longName := strings.Repeat("Wilhelmina ", 12) + strings.Repeat("Ñ", 120)
	for _, lang := range catalogue(t).Languages() {
		for _, slug := range slugs {
			for _, largest := range []int64{1, math.MaxInt64} {
				about := fmt.Sprintf("%s %s %d", lang, slug, largest)
				s := statementWords(lang, 12)
				for i := range s.Gifts {
					s.Gifts[i].Receipt, s.Gifts[i].Amount = fmt.Sprintf("%s-2026-%06d", slug, i+1), usd(largest)
				}
				s.Given, s.Total, s.Donor = usd(largest), usd(largest), longName
				s.Donee.Name, s.Donee.Address = longName, []string{longName, "Boston, MA 02111"}
				pdf, err := v.StatementPDF(s)
				require.NoError(t, err)
				checkPlaces(t, pdf, about)

				r := receiptWords(lang)
				r.Number, r.Amount, r.Donor, r.Donee, r.Organisation = slug+"-2026-000123", usd(largest), longName, s.Donee, longName
				r.Purposes = []view.Purpose{{Fund: longName, Purpose: longName, Amount: usd(largest)}, {Fund: "General", Amount: usd(largest)}}
				pdf, err = v.ReceiptPDF(r)
				require.NoError(t, err)
				checkPlaces(t, pdf, about)
			}
		}
	}
}
