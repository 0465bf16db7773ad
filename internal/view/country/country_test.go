package country_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/platform/phrase"
	"konbit/internal/view/country"
)

// TestCreoleNames: names in Haitian Creole stand in the list of that language only, once each.
func TestCreoleNames(t *testing.T) {
	names := func(lang phrase.Language) map[string]string {
		all := map[string]string{}
		for _, c := range country.List(lang) {
			require.NotContains(t, all, c.Code)
			all[c.Code] = c.Name
		}
		return all
	}
	creole, french := names(phrase.HaitianCreole), names("fr")
	for code, name := range map[string]string{
		"US": "Etazini", "HT": "Ayiti", "DO": "Repiblik Dominikèn", "BR": "Brezil", "CA": "Kanada", "FR": "Frans", "MX": "Meksik",
		"BS": "Bahamas", "CU": "Kiba", "JM": "Jamayik", "CL": "Chili",
	} {
		require.Equal(t, name, creole[code])
	}
	require.Equal(t, "Norvège", creole["NO"], "without a Creole name")
	require.Equal(t, "États-Unis", french["US"])
	require.Len(t, creole, len(french))
}
