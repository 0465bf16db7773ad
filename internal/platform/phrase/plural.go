package phrase

// form is a plural form of CLDR. In a file it follows the key and a #.
type form string

const (
	one   form = "one"
	other form = "other"
)

func pluralOne(n int) form {
	if n == 1 {
		return one
	}
	return other
}

func pluralZeroOne(n int) form {
	if n == 0 || n == 1 {
		return one
	}
	return other
}

func pluralNone(int) form { return other }
