package donors_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDonorsAreFoundByPartsOfTheirEmail: words of the local part and of the domain, in the scope of who searches; nothing of an
// address that was changed.
func TestDonorsAreFoundByPartsOfTheirEmail(t *testing.T) {
	o := newOffice(t)
	leila := o.give("csio", "general", "leila.oleary@donor.example", "L.", "O", "once").DonorID
	shop := o.give("selva", "trees", "accountant@mail.my-shop.example", "Mia", "Diaz", "once").DonorID
	o.DrainAll()
	for text, want := range map[string]string{
		"leila.oleary": leila.String(), "leila": leila.String(), "oleary": leila.String(), "OLeary": leila.String(), "leila@donor": leila.String(),
		"leila.oleary@donor.ex": leila.String(), "leila oleary": leila.String(), "@donor.example": leila.String(), "donor.example": leila.String(),
		"leila.oleary@donor.example": leila.String(), "accountant": shop.String(), "@my-shop": shop.String(), "my-shop.example": shop.String(),
		"mail.my": shop.String(), "mia accountant": shop.String(), "accountant@donor.example": "", "eary": "", "nobody@donor.example": "", "ana donor.example": "",
	} {
		for _, list := range []string{"donors", "gifts"} {
			page := o.finance.Ask("GET", "/office/tsne/"+list+"?q="+url.QueryEscape(text), nil)
			require.Equal(t, 200, page.StatusCode, text)
			for id, ref := range map[string]string{leila.String(): "L. O", shop.String(): "Mia Diaz"} {
				if id == want {
					assert.Contains(t, page.Page, ref, "%s: %s", list, text)
				} else {
					assert.NotContains(t, page.Page, ref, "%s: %s", list, text)
				}
			}
			if want == shop.String() { // a donor of another project
				assert.NotContains(t, o.project.Ask("GET", "/office/tsne/"+list+"?org=csio&q="+url.QueryEscape(text), nil).Page, "Mia Diaz", text)
			} else if want != "" {
				assert.Contains(t, o.project.Ask("GET", "/office/tsne/"+list+"?org=csio&q="+url.QueryEscape(text), nil).Page, "L. O", text)
			}
		}
	}
	o.Exec(`UPDATE donor SET email = 'forgotten-' || id || '@invalid' WHERE id = $1`, leila)
	require.Zero(t, o.Count(`SELECT count(*) FROM donor_email_word WHERE donor_id = $1`, leila))
	require.NotContains(t, o.finance.Ask("GET", "/office/tsne/donors?q=oleary", nil).Page, "L. O")
}
