package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"

	"konbit/internal/giving/donation"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

// giveAgain shows the form of a gift that was not paid, with what was typed. What the donor typed is shown
// only to the browser it was typed in, known by its cookie: an address alone opens nothing.
func (s *Server) giveRestore(w http.ResponseWriter, r *http.Request, offer donation.Offer, lang phrase.Language, ref string) error {
	gift, err := donation.ByRef(r.Context(), s.DB, ref)
	if fault.Is(err, fault.NotFound) || err == nil && gift.OrganisationID != offer.Organisation.ID {
		http.Redirect(w, r, givePath(offer.Organisation.Slug, lang), http.StatusSeeOther)
		return nil
	}
	if err != nil {
		return err
	}
	if gift.Status.Paid() {
		http.Redirect(w, r, thanksPath(offer.Organisation.Slug, ref, lang), http.StatusSeeOther)
		return nil
	}
	if !s.startedHere(r, ref) {
		return s.giveForm(w, r, http.StatusOK, offer, lang, s.NewID(), view.Entry{}, nil)
	}
	entry, err := s.formOf(r, offer, gift)
	if err != nil {
		return err
	}
	form := s.NewID()
	if gift.Status == donation.Started {
		form = gift.FormID // pressing the button again leads to the same payment, or replaces it
	}
	return s.giveForm(w, r, http.StatusOK, offer, lang, form, entry, nil)
}

// typed is a gift's form as it was filled in.
func (s *Server) formOf(r *http.Request, offer donation.Offer, gift donation.Donation) (view.Entry, error) {
	parts, err := donation.DesignationsOf(r.Context(), s.DB, idsOf(gift))
	if err != nil {
		return view.Entry{}, err
	}
	fund, split := designationChoice(offer, parts[gift.ID])
	entry := presetEntry(offer, gift.Given().Decimal(), fund, gift.Frequency)
	entry.Split, entry.CoverFees, entry.Anonymous, entry.News = split, gift.CoveredMinor > 0, gift.Anonymous, gift.News
	contact, err := donation.ContactOf(r.Context(), s.DB, gift.ID)
	if err != nil {
		return view.Entry{}, err
	}
	if contact != nil {
		fillContact(&entry, *contact)
	}
	dedication, err := donation.DedicationOf(r.Context(), s.DB, gift.ID)
	if dedication != nil {
		fillDedication(&entry, *dedication)
	}
	return entry, err
}

// shared is what a gift is for as the form asks it: one fund, or an amount for each of several.
func designationChoice(offer donation.Offer, parts []donation.Designation) (fund string, split map[string]string) {
	split = map[string]string{}
	for _, f := range offer.Funds {
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

// majorUnits is an amount as a field shows it: 20, 20.50.
func majorUnits(a money.Amount) string { return strings.TrimSuffix(a.Decimal(), ".00") }

func fillDedication(e *view.Entry, d donation.Dedication) {
	e.Dedication, e.DedicationName = string(d.Kind), d.Name
	e.CardName, e.CardEmail, e.CardMessage = d.CardName, d.CardEmail, d.CardMessage
}

func fillContact(e *view.Entry, c donation.Contact) {
	e.FirstName, e.LastName, e.Email, e.Phone = c.FirstName, c.LastName, c.Email, c.Phone
	e.AddressLine1, e.AddressLine2, e.City, e.Region = c.AddressLine1, c.AddressLine2, c.City, c.Region
	e.PostalCode, e.Country, e.Note = c.PostalCode, c.Country, c.Note
}

// cookieName is bound to the host where the connection allows it.
func (s *Server) giftCookie() string {
	if s.BaseURL.Scheme == "https" {
		return "__Host-konbit-gift"
	}
	return "konbit-gift"
}

// remember marks this browser as the one the gift was typed in, until it is closed.
func (s *Server) setGiftCookie(w http.ResponseWriter, ref string) {
	http.SetCookie(w, &http.Cookie{
		Name: s.giftCookie(), Value: ref + "." + s.sign(ref), Path: "/", HttpOnly: true,
		Secure: s.BaseURL.Scheme == "https", SameSite: http.SameSiteLaxMode,
	})
}

func (s *Server) startedHere(r *http.Request, ref string) bool {
	return ref != "" && s.giftCookieRef(r) == ref
}

// typedRef is the reference of the gift last typed in this browser, or "".
func (s *Server) giftCookieRef(r *http.Request) string {
	cookie, err := r.Cookie(s.giftCookie())
	if err != nil {
		return ""
	}
	ref, signature, _ := strings.Cut(cookie.Value, ".")
	if !hmac.Equal([]byte(signature), []byte(s.sign(ref))) {
		return ""
	}
	return ref
}

func (s *Server) sign(ref string) string {
	mac := hmac.New(sha256.New, s.Secret)
	mac.Write([]byte("gift typed here: " + ref))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
