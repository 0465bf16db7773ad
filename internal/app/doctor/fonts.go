package doctor

import (
	"fmt"
	"strings"

	"konbit/internal/platform/typeset"
)

// fonts reports the scripts that receipts and statements cannot be set in. It is a failure: a paper with a name in one of
// them would wait.
func fonts(all *typeset.Fonts) Finding {
	f := Finding{Check: "fonts for names on receipts", OK: true, Note: "every script that many people's names are written in"}
	if scripts, packages := all.Lacking(); len(scripts) > 0 {
		f.OK, f.Note = false, ""
		f.Fix = fmt.Sprintf("there is none for %s; a receipt with such a name waits: apt-get install %s, and start the server again",
			strings.Join(scripts, ", "), strings.Join(packages, " "))
	}
	return f
}
