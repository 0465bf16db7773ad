package view_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

func TestAuditDigestSaysWhatAuditorsNeed(t *testing.T) {
	v := newView(t)
	const command = "konbit ledger verify --head tsne:1234:ab12"
	for _, test := range []struct {
		language phrase.Language
		trial    int64
		says     []string
	}{
		{"en", 0, []string{"The books of TSNE MissionWorks on March 14, 2026: 1234 entries", "zero, as they must be", "outside the organisation"}},
		{"es", 0, []string{"14 de marzo de 2026", "1234 asientos", "cero, como debe ser", "fuera de la organización"}},
		{"en", 5, []string{"$0.05, and they must be zero. Please ask at once."}},
		{"pt", 0, []string{"14 de março de 2026", "1234 lançamentos", "zero, como deve ser", "fora da organização"}},
		{"ht", 0, []string{"14 mas 2026", "1234 ekriti", "zewo, jan sa dwe ye", "deyò òganizasyon an"}},
		{"xx", 0, []string{"zero, as they must be"}},
	} {
		t.Run(fmt.Sprintf("%s %d", test.language, test.trial), func(t *testing.T) {
			subject, text, html, err := v.AuditDigestEmail(view.AuditDigestWords{
				Language: test.language, Donee: tsne, Day: time.Date(2026, time.March, 14, 0, 0, 0, 0, time.UTC),
				Entries: 1234, Hash: "ab12", TrialBalance: money.New(test.trial, "USD"), Command: command,
			})
			require.NoError(t, err)
			for _, saying := range append(test.says, "ab12", command) {
				assert.Contains(t, subject+" "+oneLine(text), saying)
				assert.Contains(t, oneLine(stripTags(html)), saying)
			}
			assert.NotRegexp(t, `head\.[a-z]+|\{[a-z_]+\}|ZgotmplZ`, text+html)
		})
	}
}
