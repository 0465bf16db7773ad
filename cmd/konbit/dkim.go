package main

import (
	"slices"
	"strings"

	"konbit/internal/mail"
)

const (
	dkimDomain   = "MAIL_DKIM_DOMAIN"
	dkimSelector = "MAIL_DKIM_SELECTOR"
	dkimKey      = "MAIL_DKIM_KEY"
)

// dkim reads the keys letters are signed with: MAIL_DKIM_DOMAIN, _SELECTOR and _KEY, and any number of further
// three whose names go on with the same _ENTITY. Which key signs a letter, its sender's domain decides; the end
// of the name only tells them apart.
func (r *reader) dkim() []mail.DKIM {
	var keys []mail.DKIM
	for _, end := range r.dkimEnds() {
		domain, selector, pem := r.text(dkimDomain+end, ""), r.text(dkimSelector+end, ""), r.text(dkimKey+end, "")
		switch {
		case domain+selector+pem == "":
		case domain == "" || selector == "" || pem == "":
			r.wrong(dkimDomain+end, "goes with "+dkimSelector+end+" and "+dkimKey+end+": set all three or none")
		default:
			key, err := mail.ReadDKIM(domain, selector, pem)
			if err != nil {
				r.wrong(dkimKey+end, err.Error())
				continue
			}
			keys = append(keys, key)
		}
	}
	return keys
}

// dkimEnds lists what comes after the three names: nothing, and _ENTITY for each there is.
func (r *reader) dkimEnds() []string {
	ends := []string{""}
	for _, name := range sortedNames(r.env) {
		for _, prefix := range []string{dkimDomain, dkimSelector, dkimKey} {
			end, ok := strings.CutPrefix(strings.TrimSuffix(name, "_FILE"), prefix)
			if ok && strings.HasPrefix(end, "_") && !slices.Contains(ends, end) {
				ends = append(ends, end)
			}
		}
	}
	return ends
}
