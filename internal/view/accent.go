package view

import (
	"strings"

	"konbit/internal/view/accent"
)

// DefaultAccent is the colour of pages of no organisation, and of an organisation without a colour of its own.
const DefaultAccent = accent.Default

// CheckAccent reports an error if an organisation may not have this accent.
func CheckAccent(hex string) error { return accent.Check(hex) }

// accentURL returns the address of the colour's stylesheet; of DefaultAccent if the colour does not pass CheckAccent.
func accentURL(hex string) string {
	if CheckAccent(hex) != nil {
		hex = DefaultAccent
	}
	return StaticPath + "accent-" + hex[1:] + "." + fingerprint(accent.Sheet(hex)) + ".css"
}

func accentAsset(url string) (asset, bool) {
	name, ok := strings.CutPrefix(url, StaticPath+"accent-")
	if !ok || len(name) < 6 {
		return asset{}, false
	}
	hex := "#" + name[:6]
	if CheckAccent(hex) != nil || accentURL(hex) != url {
		return asset{}, false
	}
	return asset{mediaType: "text/css; charset=utf-8", plain: accent.Sheet(hex)}, true
}
