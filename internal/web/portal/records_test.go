package portal_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/mail"
	"konbit/internal/workshop/testkit/visitor"
)

// TestRecords: a donor finds the year's statement as a page and a document, downloads all data, requests erasure on the
// page that explains it, and withdraws the request. Nothing of another donor is shown.
func TestRecords(t *testing.T) {
	t.Parallel()
	e := visitor.NewTwoDonors(t)
	page := e.Ana.Ask("GET", "/portal/records", nil)
	require.Equal(t, 200, page.StatusCode)
	ref := "/portal/statements/" + e.Objects["/portal/statements/"]
	require.Contains(t, page.Page, ref)
	shown := e.Ana.Ask("GET", ref, nil)
	require.Contains(t, shown.Page, "TSNE-20")
	require.Contains(t, shown.Page, "Where it is needed most")
	require.Contains(t, e.Ana.Ask("GET", ref+"?lang=es", nil).Page, "Donde más se necesite", "it was issued in English")
	pdf := e.Ana.Ask("GET", ref+"/pdf", nil)
	require.Equal(t, "application/pdf", pdf.Header.Get("Content-Type"))
	require.Equal(t, 404, e.Bea.Ask("GET", ref, nil).StatusCode)
	for _, ending := range []string{"json", "csv"} {
		data := e.Ana.Ask("GET", "/portal/records/data."+ending, nil)
		require.Equal(t, 200, data.StatusCode)
		require.Contains(t, data.Page, "ana@example.org")
		require.NotContains(t, data.Page, "bea@example.net")
		require.Equal(t, `attachment; filename="my-data.`+ending+`"`, data.Header.Get("Content-Disposition"))
		require.Equal(t, ending == "csv", strings.HasPrefix(data.Page, "\ufeff"), "a mark for spreadsheets")
		require.Contains(t, data.Header.Get("Cache-Control"), "no-store")
	}

	submit := func(v *visitor.Visitor, do string) visitor.Response {
		return v.Ask("POST", "/portal/records/erasure", url.Values{"do": {do}, "session": {v.Token()}})
	}
	explained := e.Ana.Ask("GET", "/portal/records?do=erase&lang=en", nil).Page
	require.Contains(t, explained, `id="obstacle"`, "she is told before she presses a button")
	require.Contains(t, explained, "/portal/plans/"+e.Lines(`SELECT p.public_ref FROM plan p JOIN donor d ON d.id = p.donor_id WHERE d.email = 'ana@example.org'`)[0])
	require.NotContains(t, explained, `value="erase"`)
	require.Contains(t, e.Bea.Ask("GET", "/portal/records?do=erase", nil).Page, `value="erase"`)
	require.Equal(t, 409, submit(e.Ana, "erase").StatusCode, "her recurring gift goes on")
	require.Equal(t, 303, submit(e.Bea, "erase").StatusCode)
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM erasure`))
	waits := e.Bea.Ask("GET", "/portal/records", nil)
	assert.Contains(t, waits.Page, `value="withdraw"`)

	// In the evening in Boston the UTC date is the next day: page and email show the date in the sender's time zone.
	e.Exec(`UPDATE erasure SET asked_at = '2026-12-04 02:00Z', due_at = '2026-12-07 02:00Z'`)
	assert.Contains(t, e.Bea.Ask("GET", "/portal/records?lang=en", nil).Page, "December 6")
	var erasureID uuid.UUID
	require.NoError(t, e.DB.Owner.Get(&erasureID, `SELECT id FROM erasure`))
	emails := mail.Erasures{Mailer: e.Receipts.Mailer, Privacy: e.Privacy, Catalog: e.Catalog}
	require.NoError(t, emails.Mail(t.Context(), erasureID))
	email, err := e.Mail.Messages()[0].Email()
	require.NoError(t, err)
	assert.Contains(t, email.Text, "December 6")
	require.Equal(t, 303, submit(e.Bea, "withdraw").StatusCode)
	require.Equal(t, 1, e.Count(`SELECT count(*) FROM erasure WHERE withdrawn_at IS NOT NULL`))
	require.Equal(t, 404, submit(e.Bea, "withdraw").StatusCode)
}
