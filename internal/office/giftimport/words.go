package giftimport

import "konbit/internal/office/offline"

// headings are what columns are called, in the form of plain.
var headings = map[string][]string{
	ReceivedOn: {"date", "gift date", "received", "received on", "date received", "donation date", "fecha", "fecha de recepcion",
		"fecha de la donacion", "deposit date", "transaction date"},
	Name:         {"name", "donor", "donor name", "full name", "nombre completo", "donante", "from", "payer"},
	"first_name": {"first name", "firstname", "first", "given name", "nombre", "nombres"},
	"last_name":  {"last name", "lastname", "last", "surname", "family name", "apellido", "apellidos"},
	"organisation": {"organisation", "organization", "company", "org", "business", "organizacion", "empresa", "organisation name",
		"organization name"},
	"email":           {"email", "e-mail", "email address", "correo", "correo electronico", "mail"},
	"address_line1":   {"address", "address 1", "address line 1", "street", "street address", "direccion", "calle", "address_line1"},
	"address_line2":   {"address 2", "address line 2", "apt", "apartment", "unit", "direccion 2", "address_line2"},
	"city":            {"city", "town", "ciudad"},
	"region":          {"state", "region", "province", "estado", "provincia"},
	"postal_code":     {"zip", "zip code", "zipcode", "postal code", "postcode", "codigo postal", "cp", "postal_code"},
	"country":         {"country", "pais"},
	"amount":          {"amount", "gift amount", "donation", "donation amount", "total", "importe", "monto", "cantidad", "gift"},
	"method":          {"method", "payment method", "type", "payment type", "forma de pago", "metodo", "tender"},
	"number":          {"check", "check number", "check no", "check #", "cheque", "numero de cheque", "number", "no", "ref", "reference", "numero"},
	"postmarked_on":   {"postmark", "postmarked", "postmarked on", "matasellos"},
	"fund":            {"fund", "designation", "campaign", "project", "fondo", "proyecto", "destino"},
	"given_by":        {"given by", "donor type", "tipo de donante", "given_by"},
	"note":            {"note", "notes", "memo", "comment", "comments", "description", "nota", "notas", "descripcion"},
	"in_return":       {"benefit", "in return", "premium", "contraprestacion", "in_return"},
	"in_return_value": {"benefit value", "in return value", "fair market value", "fmv", "valor de la contraprestacion", "in_return_value"},
	"counted_by":      {"counted by", "counters", "contado por", "counted_by"},
}

// methods and givers are words of spreadsheets for the values of a row.
var (
	methods = map[string]offline.Method{
		"check": offline.Check, "cheque": offline.Check, "ck": offline.Check, "chk": offline.Check, "cash": offline.Cash, "efectivo": offline.Cash,
		"transfer": offline.Transfer, "wire": offline.Transfer, "ach": offline.Transfer, "zelle": offline.Transfer, "bank transfer": offline.Transfer,
		"transferencia": offline.Transfer,
		"stock":         offline.Stock, "shares": offline.Stock, "acciones": offline.Stock, "in kind": offline.InKind, "in-kind": offline.InKind,
		"en especie": offline.InKind,
	}
	givers = map[string]offline.GivenBy{
		"individual": offline.Person, "person": offline.Person, "persona": offline.Person, "organization": offline.Organisation,
		"organisation": offline.Organisation,
		"organizacion": offline.Organisation, "company": offline.Organisation, "daf": offline.AdvisedFund, "donor advised fund": offline.AdvisedFund,
		"donor-advised fund": offline.AdvisedFund, "foundation": offline.Foundation, "fundacion": offline.Foundation,
		"employer match": offline.EmployerMatch, "matching": offline.EmployerMatch,
	}
)
