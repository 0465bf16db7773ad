package giftpage

import (
	"net/url"

	"konbit/internal/platform/phrase"
)

// LinkedPlanPath returns the address of a recurring gift's page for a link of an email.
func LinkedPlanPath(ref string, lang phrase.Language) string {
	return "/plans/" + url.PathEscape(ref) + "?lang=" + url.QueryEscape(string(lang))
}

// OwnPlanPath returns the address of a recurring gift's page for a signed-in donor.
func OwnPlanPath(ref string, lang phrase.Language) string {
	return "/portal/plans/" + url.PathEscape(ref) + "?lang=" + url.QueryEscape(string(lang))
}

// ReceiptPath returns the address of a gift's receipt.
func ReceiptPath(ref string) string { return "/portal/gifts/" + url.PathEscape(ref) + "/receipt" }
