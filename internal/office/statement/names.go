package statement

import (
	"strings"

	"github.com/google/uuid"

	"konbit/internal/giving/donor"
	"konbit/internal/giving/receipt"
)

// A donor is a mailbox, and people share mailboxes: the donor's row has the name that was entered last. What a tax paper
// says follows the receipts, so each name on them has a part of the statement with its own total.

// names are the names on the receipts of a donor's year.
type names struct {
	named  []Named           // in the order of their first gifts
	index  map[uuid.UUID]int // in named, by gift
	newest *receipt.Facts    // of the newest gift; nil if it has no receipt
}

// namesOf returns the names on the newest receipts of a donor's gifts. Case and spaces make no difference. A gift without
// a receipt counts as the donor's.
func (c composer) namesOf(d donor.Donor) names {
	found := names{index: map[uuid.UUID]int{}}
	known := map[string]int{}
	for _, given := range c.gifts[d.ID] {
		of := receipt.Facts{FirstName: d.FirstName, LastName: d.LastName, DonorOrganisation: d.OrganisationName}
		if issued, ok := c.latest[given.ID]; ok && issued.Facts.DonorName() != "" {
			of, found.newest = issued.Facts, &issued.Facts
		}
		key := strings.ToLower(strings.Join(strings.Fields(of.DonorName()), " "))
		i, ok := known[key]
		if !ok {
			i = len(found.named)
			known[key], found.named = i, append(found.named, Named{})
		}
		was := found.named[i].Address
		found.named[i] = Named{Name: of.DonorName(), Address: of.DonorAddress}
		if of.DonorOrganisation == "" {
			found.named[i].Greeting = of.FirstName
		}
		if len(of.DonorAddress) == 0 {
			found.named[i].Address = was // that of the newest donation which has one
		}
		found.index[given.ID] = i
	}
	return found
}
