package web

import (
	"fmt"
	"net/http"
	"time"

	"konbit/internal/platform/email"
)

const (
	// securityTextPath is where RFC 9116 puts the file.
	securityTextPath = "/.well-known/security.txt"
	// securityTextLife is how long the file is valid after it was read; RFC 9116 advises less than a year.
	securityTextLife = 180 * 24 * time.Hour
)

// securityText says where to report a weakness of this site (RFC 9116): at the address that the operator set, or else
// at the addresses from which the legal entities send emails.
func (k *Kernel) securityText(w http.ResponseWriter, r *http.Request, _ Anyone) error {
	contacts, err := k.securityContacts(r)
	if err != nil {
		return err
	}
	text := ""
	for _, contact := range contacts {
		text += "Contact: mailto:" + contact + "\n"
	}
	text += fmt.Sprintf("Expires: %s\nCanonical: %s\nPreferred-Languages: en, es, pt, ht\n",
		k.Wall().Add(securityTextLife).UTC().Format(time.RFC3339), Absolute(k.BaseURL, securityTextPath))
	plain(w, http.StatusOK, text)
	return nil
}

func (k *Kernel) securityContacts(r *http.Request) (contacts []string, err error) {
	if k.SecurityContact != "" {
		mailbox, err := email.Parse(k.SecurityContact)
		return []string{mailbox.Address}, err
	}
	catalog, err := k.Catalog.Current(r.Context())
	if err != nil {
		return nil, err
	}
	for _, entity := range catalog.Entities() {
		mailbox, err := email.Parse(entity.MailFrom)
		if err != nil {
			return nil, err
		}
		contacts = append(contacts, mailbox.Address)
	}
	return contacts, nil
}
