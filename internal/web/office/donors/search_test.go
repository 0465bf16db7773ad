package donors_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
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

// TestProjectsPagesAreOfTheProject: a person of a project, and who looks at a project, finds nobody by an address that was typed with
// gifts to another project, and reads the day of the first gift to this one.
func TestProjectsPagesAreOfTheProject(t *testing.T) {
	o := newOffice(t)
	of := func(m *visitor.Member, list, scope, text string) string {
		page := m.Ask("GET", "/office/tsne/"+list+"?"+scope+"q="+url.QueryEscape(text), nil)
		require.Equal(t, 200, page.StatusCode, text)
		return page.Page
	}
	f := program.ValidForm()
	f.Fund, f.Contact.Email, f.Contact.FirstName, f.Contact.LastName = "trees", "ana@example.org", "Ana", "Pérez"
	f.Contact.AddressLine1, f.Contact.City, f.Contact.PostalCode = "12 Harbor View", "Gloucester", "01930"
	g, err := o.SubmitFor("selva", f)
	require.NoError(t, err)
	o.Pay(g.Donation)
	o.DeliverNew()
	o.DrainAll()
	require.Equal(t, o.ana, o.Gift(g.Donation.ID).DonorID, "the same donor")
	for _, list := range []string{"donors", "gifts"} {
		for _, text := range []string{"Harbor", "ana harbor", "01930", "Pérez Gloucester"} {
			assert.Contains(t, of(o.finance, list, "", text), "Pérez", "%s of the entity: %s", list, text)
			assert.Contains(t, of(o.finance, list, "org=selva&", text), "Pérez", "%s of the gift's project: %s", list, text)
			assert.NotContains(t, of(o.finance, list, "org=csio&", text), "Ana Pérez", "%s of another project: %s", list, text)
			assert.NotContains(t, of(o.project, list, "org=csio&", text), "Ana Pérez", "%s of another project: %s", list, text)
		}
		for _, text := range []string{"Pérez", "ana 02139", "rue perez", "ana@example", "ana cambridge"} {
			assert.Contains(t, of(o.project, list, "org=csio&", text), "Pérez", "%s: %s", list, text)
		}
	}
	o.Exec(`UPDATE donor SET address_line1 = '9 Lighthouse Road' WHERE id = $1`, o.ana)
	assert.Contains(t, of(o.project, "donors", "org=csio&", "lighthouse"), "Pérez", "an address of the donor's own")

	o.Exec(`ALTER TABLE donation DISABLE TRIGGER USER; UPDATE donation SET charged_at = '2024-02-03 12:00:00-05' WHERE id = '` + g.Donation.ID.String() + `';
		UPDATE donation SET charged_at = '2025-04-05 12:00:00-04' WHERE donor_id = '` + o.ana.String() + `' AND id <> '` + g.Donation.ID.String() + `'; ALTER TABLE donation ENABLE TRIGGER USER;
		UPDATE donor SET first_gift_at = '2024-02-03 12:00:00-05' WHERE id = '` + o.ana.String() + `'`)
	const first, ofCsio = "February 3, 2024", "April 5, 2025"
	require.Contains(t, o.finance.Ask("GET", path(o.ana, "", ""), nil).Page, first)
	for _, m := range []*visitor.Member{o.project, o.finance} {
		page := m.Ask("GET", path(o.ana, "", "?org=csio"), nil)
		require.Equal(t, 200, page.StatusCode)
		require.NotContains(t, page.Page, first)
		require.Contains(t, page.Page, ofCsio)
	}
}
