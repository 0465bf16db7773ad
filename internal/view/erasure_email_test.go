package view_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/view"
)

// TestErasureAndAddressEmails renders the emails about erasure and linked addresses in each language.
func TestErasureAndAddressEmails(t *testing.T) {
	v := newView(t)
	day := time.Date(2027, 1, 18, 9, 0, 0, 0, time.UTC)
	for _, lang := range catalogue(t).Languages() {
		for _, due := range []time.Time{{}, day} {
			subject, text, html, err := v.ErasureEmail(view.ErasureEmailWords{Language: lang, Donee: tsne, Due: due})
			require.NoError(t, err)
			for _, part := range []string{subject, text, stripTags(html)} {
				require.Contains(t, part, "TSNE MissionWorks")
				require.NotRegexp(t, `privacy\.|\{[a-z_]+\}`, part)
			}
		}
		for _, change := range []string{"joined", "moved", "parted", "chosen", "unchosen"} {
			subject, text, html, err := v.AddressEmail(view.AddressEmailWords{Language: lang, Donee: tsne, Address: "ana@example.org", Change: change, On: day})
			require.NoError(t, err)
			require.NotEmpty(t, subject)
			for _, part := range []string{text, stripTags(html)} {
				require.Contains(t, part, "TSNE MissionWorks")
				require.Contains(t, part, "ana@example.org")
				require.Contains(t, part, "2027")
				require.NotRegexp(t, `letter\.|\{[a-z_]+\}`, part)
			}
		}
	}
}
