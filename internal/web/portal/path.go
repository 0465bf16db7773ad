package portal

import (
	"net/url"

	"konbit/internal/platform/phrase"
)

func linkedPlanPath(ref string, lang phrase.Language) string {
	return "/plans/" + url.PathEscape(ref) + "?lang=" + url.QueryEscape(string(lang))
}

func ownPlanPath(ref string, lang phrase.Language) string {
	return "/portal/plans/" + url.PathEscape(ref) + "?lang=" + url.QueryEscape(string(lang))
}

func receiptPath(ref string) string { return "/portal/gifts/" + url.PathEscape(ref) + "/receipt" }
