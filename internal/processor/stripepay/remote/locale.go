package remote

import "konbit/internal/platform/phrase"

// Locale maps our languages to those of Stripe's pages (https://docs.stripe.com/js/appendix/supported_locales). They have
// no Haitian Creole: French is the other official language of Haiti.
func Locale(lang phrase.Language) string {
	switch lang {
	case phrase.Spanish:
		return "es-419"
	case phrase.Portuguese:
		return "pt-BR"
	case phrase.HaitianCreole:
		return "fr"
	default:
		return "en"
	}
}
