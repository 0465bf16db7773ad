package give

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"konbit/internal/giving/checkout"
	"konbit/internal/giving/dedication"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/fault"
)

// giftCookie holds the signed reference of the gift last started in this browser.
const giftCookie = "gift"

// restoreForm shows the form of an unpaid gift with what was typed. Only the browser in which it was typed, known by
// its cookie, sees it: the address alone opens an empty form.
func (a *Area) restoreForm(w http.ResponseWriter, r *http.Request, o offer, ref string) error {
	gift, err := donation.ByRef(r.Context(), a.DB, ref)
	if fault.Is(err, fault.NotFound) || err == nil && gift.OrganisationID != o.Organisation.ID {
		http.Redirect(w, r, formPath(o.Organisation.Slug, o.lang), http.StatusSeeOther)
		return nil
	}
	if err != nil {
		return err
	}
	if gift.Status.Paid() {
		http.Redirect(w, r, thanksPath(o.Organisation.Slug, ref, o.lang), http.StatusSeeOther)
		return nil
	}
	if a.giftCookieRef(r) != ref {
		return a.showForm(w, r, http.StatusOK, o, a.NewID(), Entry{}, nil)
	}
	entry, err := a.entryOfGift(r, o, gift)
	if err != nil {
		return err
	}
	form := a.NewID()
	if gift.Status == donation.Started {
		begun, err := checkout.ByDonation(r.Context(), a.DB, gift.ID)
		if err != nil {
			return err
		}
		form = begun.FormID // submitting again leads to the same payment page, or replaces it
	}
	entry.Unpaid = true
	return a.showForm(w, r, http.StatusOK, o, form, entry, nil)
}

// entryOfGift returns a gift's form as it was filled in.
func (a *Area) entryOfGift(r *http.Request, o offer, gift donation.Donation) (Entry, error) {
	parts, err := donation.DesignationsOf(r.Context(), a.DB, []uuid.UUID{gift.ID})
	if err != nil {
		return Entry{}, err
	}
	fund, split := designationChoice(o.Offer, parts[gift.ID])
	entry := presetEntry(o, gift.Given().Decimal(), fund, gift.Frequency)
	entry.Split, entry.CoverFees, entry.Anonymous, entry.News = split, gift.CoveredMinor > 0, gift.Anonymous, gift.News
	contact, err := donation.ContactOf(r.Context(), a.DB, gift.ID)
	if err != nil {
		return Entry{}, err
	}
	if contact != nil {
		entry.setContact(*contact)
	}
	dedication, err := dedication.Of(r.Context(), a.DB, gift.ID)
	if dedication != nil {
		entry.setDedication(*dedication)
	}
	return entry, err
}

// designationChoice returns a gift's designations as the form asks for them: one fund, or the amount of each of
// several.
func designationChoice(o donation.Offer, parts []donation.Designation) (fund string, split map[string]string) {
	split = map[string]string{}
	for _, f := range o.Funds {
		for _, p := range parts {
			if f.ID == p.FundID {
				fund, split[f.Slug] = f.Slug, majorUnits(p.Given())
			}
		}
	}
	if len(parts) == 1 {
		return fund, nil
	}
	return "", split
}

func (e *Entry) setContact(c donation.Contact) {
	e.Contact, e.Note = c.Contact, c.Note
}

func (e *Entry) setDedication(d dedication.Dedication) {
	e.Dedication, e.DedicationName = string(d.Kind), d.Name
	e.CardName, e.CardEmail, e.CardMessage = d.CardName, d.CardEmail, d.CardMessage
}

// setGiftCookie marks this browser, until it is closed, as the one in which the gift was typed.
func (a *Area) setGiftCookie(w http.ResponseWriter, ref string) {
	a.SetCookie(w, giftCookie, ref+"."+a.sign(ref), 0)
}

// giftCookieRef returns the reference of the gift last started in this browser; empty if there is none.
func (a *Area) giftCookieRef(r *http.Request) string {
	ref, signature, _ := strings.Cut(a.Cookie(r, giftCookie), ".")
	tag, err := base64.RawURLEncoding.Strict().DecodeString(signature)
	if err != nil || !a.Keys.Verify(tag, giftPurpose, ref) {
		return ""
	}
	return ref
}

// giftPurpose is what the signature of giftCookie is for.
const giftPurpose = "gift typed here"

func (a *Area) sign(ref string) string {
	return base64.RawURLEncoding.EncodeToString(a.Keys.Sign(giftPurpose, ref))
}
