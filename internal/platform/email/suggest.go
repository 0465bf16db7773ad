package email

import "strings"

// common are the domains of mailboxes that most people of the United States, Latin America and Haiti use, and the real
// domains that look like them. A domain of the list is never taken for a mistyped one.
var common = strings.Fields(`
	gmail.com googlemail.com yahoo.com ymail.com rocketmail.com hotmail.com outlook.com live.com msn.com icloud.com me.com mac.com
	aol.com aim.com proton.me protonmail.com pm.me mail.com email.com gmx.com gmx.net gmx.us zoho.com fastmail.com yandex.com
	comcast.net verizon.net att.net sbcglobal.net cox.net charter.net earthlink.net bellsouth.net
	yahoo.es yahoo.com.mx yahoo.com.ar yahoo.com.br yahoo.fr yahoo.ca yahoo.co.uk hotmail.es hotmail.fr hotmail.co.uk hotmail.com.br hotmail.com.ar
	outlook.es outlook.fr outlook.com.br live.com.mx live.ca uol.com.br bol.com.br terra.com.br ig.com.br
	riseup.net tutanota.com tuta.io hey.com duck.com`)

// Suggest returns the address that a person probably meant, if its domain is one slip away from a common one: a letter
// that is missing, too many, wrong, or exchanged with the next. It returns "" if the domain seems right. It is a guess,
// so the person is asked.
func Suggest(address string) string {
	local, domain, found := strings.Cut(address, "@")
	domain = strings.ToLower(domain)
	if !found {
		return ""
	}
	for _, known := range common {
		if domain == known {
			return ""
		}
	}
	for _, known := range common {
		if len(known) >= minSuggested && isOneSlip(domain, known) {
			return local + "@" + known
		}
	}
	return ""
}

// minSuggested is the length of the shortest domain that is suggested, in bytes. A slip in a shorter one makes another
// real domain too often: me.com and he.com.
const minSuggested = 8

// isOneSlip reports whether one letter added, left out, replaced, or exchanged with its neighbour makes b of a.
func isOneSlip(a, b string) bool {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	switch {
	case len(a)+len(b) == 1, len(a) == 1 && len(b) == 1:
		return true
	default:
		return len(a) == 2 && len(b) == 2 && a[0] == b[1] && a[1] == b[0]
	}
}
