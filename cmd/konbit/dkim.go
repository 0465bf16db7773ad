package main

import (
	"slices"
	"strings"

	"konbit/internal/mail/transport"
)

const (
	dkimDomain   = "MAIL_DKIM_DOMAIN"
	dkimSelector = "MAIL_DKIM_SELECTOR"
	dkimKey      = "MAIL_DKIM_KEY"
)

// dkim reads the keys that sign emails. A key has three settings: MAIL_DKIM_DOMAIN, MAIL_DKIM_SELECTOR and
// MAIL_DKIM_KEY. More keys have the same names with a suffix such as _ENTITY. The domain of the sender decides which
// key signs an email; the suffix has no other meaning.
func (r *reader) dkim() []transport.DKIM {
	var keys []transport.DKIM
	for _, suffix := range r.dkimSuffixes() {
		domain, selector, pem := r.text(dkimDomain+suffix, ""), r.text(dkimSelector+suffix, ""), r.text(dkimKey+suffix, "")
		switch {
		case domain+selector+pem == "":
		case domain == "" || selector == "" || pem == "":
			r.wrong(dkimDomain+suffix, "needs "+dkimSelector+suffix+" and "+dkimKey+suffix+": set all three or none")
		default:
			key, err := transport.ReadDKIM(domain, selector, pem)
			if err != nil {
				r.wrong(dkimKey+suffix, err.Error())
				continue
			}
			keys = append(keys, key)
		}
	}
	return keys
}

// dkimSuffixes returns the suffixes of the settings' names: the empty one, and each _ENTITY.
func (r *reader) dkimSuffixes() []string {
	suffixes := []string{""}
	for _, name := range sortedNames(r.env) {
		for _, prefix := range []string{dkimDomain, dkimSelector, dkimKey} {
			suffix, ok := strings.CutPrefix(strings.TrimSuffix(name, "_FILE"), prefix)
			if ok && strings.HasPrefix(suffix, "_") && !slices.Contains(suffixes, suffix) {
				suffixes = append(suffixes, suffix)
			}
		}
	}
	return suffixes
}
