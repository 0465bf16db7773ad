package web_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRecords: a donor finds the year's statement as page and document, takes their data along, asks to be forgotten with a press
// on the page that says what it means, and takes it back. What is another's is nowhere in it.
func TestRecords(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	page := e.ana.ask("GET", "/portal/records", nil)
	require.Equal(t, 200, page.StatusCode)
	ref := "/portal/statements/" + e.things["/portal/statements/"]
	require.Contains(t, page.body, ref)
	shown := e.ana.ask("GET", ref, nil)
	require.Contains(t, shown.body, "TSNE-20")
	pdf := e.ana.ask("GET", ref+"/pdf", nil)
	require.Equal(t, "application/pdf", pdf.Header.Get("Content-Type"))
	require.Equal(t, 404, e.bea.ask("GET", ref, nil).StatusCode)
	for _, ending := range []string{"json", "csv"} {
		data := e.ana.ask("GET", "/portal/records/data."+ending, nil)
		require.Equal(t, 200, data.StatusCode)
		require.Contains(t, data.body, "ana@example.org")
		require.NotContains(t, data.body, "bea@example.net")
		require.Contains(t, data.Header.Get("Content-Disposition"), "attachment")
		require.Contains(t, data.Header.Get("Cache-Control"), "no-store")
	}

	press := func(v *visitor, do string) answer {
		return v.ask("POST", "/portal/records/erasure", url.Values{"do": {do}, "session": {v.token()}})
	}
	require.Equal(t, 409, press(e.ana, "erase").StatusCode, "her recurring gift goes on")
	require.Equal(t, 303, press(e.bea, "erase").StatusCode)
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM erasure`))
	waits := e.bea.ask("GET", "/portal/records", nil)
	assert.Contains(t, waits.body, `value="withdraw"`)
	require.Equal(t, 303, press(e.bea, "withdraw").StatusCode)
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM erasure WHERE withdrawn_at IS NOT NULL`))
	require.Equal(t, 404, press(e.bea, "withdraw").StatusCode)
}
