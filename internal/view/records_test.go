package view_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/view"
	"konbit/internal/web/portal"
)

// TestRecords: each state of the page and both letters about being forgotten, in each language.
func TestRecords(t *testing.T) {
	v := newView(t)
	day := time.Date(2027, 1, 18, 9, 0, 0, 0, time.UTC)
	for _, lang := range catalogue(t).Languages() {
		p := portal.RecordsPage{Page: portal.Page{Frame: frame(lang), Section: "records", Token: "x"}}
		given, asks, waits, cannot := p, p, p, p
		given.Statements = []portal.StatementItem{{Year: 2026, Donee: "TSNE MissionWorks", URL: "/portal/statements/2026-x"}}
		asks.Confirm, waits.ErasureDue, cannot.Problem = true, day, "privacy.error.plan"
		for _, each := range []portal.RecordsPage{p, given, asks, waits, cannot} {
			var page bytes.Buffer
			require.NoError(t, each.Write(&page, v))
			checkPage(t, page.String())
			require.NotRegexp(t, `records\.[a-z_]+[^a-z_/."]`, stripTags(page.String()))
		}
		for _, due := range []time.Time{{}, day} {
			subject, text, html, err := v.ErasureEmail(view.ErasureEmailWords{Language: lang, Donee: tsne, Due: due})
			require.NoError(t, err)
			for _, said := range []string{subject, text, stripTags(html)} {
				require.Contains(t, said, "TSNE MissionWorks")
				require.NotRegexp(t, `privacy\.|\{[a-z_]+\}`, said)
			}
		}
		for _, parted := range []bool{false, true} {
			subject, text, html, err := v.AddressEmail(view.AddressEmailWords{Language: lang, Donee: tsne, Address: "ana@example.org", Removed: parted, On: day})
			require.NoError(t, err)
			require.Contains(t, subject, "ana@example.org")
			for _, said := range []string{text, stripTags(html)} {
				require.Contains(t, said, "TSNE MissionWorks")
				require.Contains(t, said, "ana@example.org")
				require.Contains(t, said, "2027")
				require.NotRegexp(t, `letter\.|\{[a-z_]+\}`, said)
			}
		}
	}
}
