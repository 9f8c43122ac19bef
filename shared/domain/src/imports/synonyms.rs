//! What the names of columns mean, in English and French. They are compared by their folded letters and digits ([`crate::text::fold_alphanumeric`]).

use super::ImportKind;
use super::mapping::Target;

/// The field that a name in folded letters means in an import of this kind, if it knows it.
pub(super) fn known_as(folded: &str, kind: ImportKind) -> Option<Target> {
    let own = match (kind, folded) {
        (ImportKind::Agents, "agent" | "agentname" | "employee" | "employeename" | "nomdelagent" | "employe" | "nomdelemploye") => Some(Target::Name),
        (ImportKind::Agents, "agentemail" | "workemail" | "employeeemail") => Some(Target::Email),
        (ImportKind::Suppressions, "number") => Some(Target::Phone),
        (ImportKind::Suppressions, "date") => Some(Target::ListedAt),
        _ => None,
    };
    own.or_else(|| synonym(folded)).filter(|target| target.is_of(kind))
}

/// What a name in folded letters means, whatever is imported.
pub(super) fn synonym(folded: &str) -> Option<Target> {
    Some(match folded {
        "phone" | "phonenumber" | "phoneno" | "telephone" | "telephonenumber" | "tel" | "telno" | "mobile" | "mobilephone" | "mobilenumber" | "cell" | "cellphone"
        | "cellular" | "homephone" | "workphone" | "businessphone" | "primaryphone" | "mainphone" | "dayphone" | "eveningphone" | "daytimephone" | "contactnumber"
        | "contactphone" | "msisdn" | "numero" | "numerodetelephone" | "notelephone" | "notel" | "nodetelephone" | "ndetelephone" | "ntelephone" | "ntel"
        | "numerotelephone" | "telephoneprincipal" | "telephonemobile" | "telephonedomicile" | "telephonetravail" | "telephonebureau" | "teldomicile" | "telmobile"
        | "telbureau" | "portable" | "telephoneportable" | "cellulaire" | "phonevalue" | "mobilephonenumber" | "homephonenumber" | "workphonenumber" => Target::Phone,
        "alternatephone" | "alternatephones" | "otherphone" | "secondaryphone" | "altphone" | "autretelephone" | "telephonesecondaire" | "autrenumero" => {
            Target::AlternatePhones
        }
        "extension" | "ext" | "phoneextension" | "phoneext" | "poste" => Target::PhoneExtension,
        "firstname" | "fname" | "givenname" | "forename" | "first" | "prenom" => Target::FirstName,
        "lastname" | "lname" | "surname" | "familyname" | "last" | "nomdefamille" | "nomfamille" => Target::LastName,
        "name" | "fullname" | "contactname" | "contact" | "customername" | "clientname" | "leadname" | "displayname" | "nom" | "nomcomplet" | "nometprenom"
        | "prenometnom" | "nomprenom" | "prenomnom" | "nomducontact" | "nomduclient" => Target::Name,
        "email" | "emailaddress" | "mail" | "emailaddr" | "courriel" | "adressecourriel" | "adresseemail" | "adressemail" | "adresseelectronique" | "emailvalue" => {
            Target::Email
        }
        "address" | "streetaddress" | "street" | "addressline" | "mailingaddress" | "homeaddress" | "adresse" | "rue" | "adressepostale" | "adressecivique"
        | "addressstreet" | "mailingstreet" | "businessstreet" => Target::Address,
        "city" | "town" | "municipality" | "ville" | "municipalite" | "localite" | "commune" | "addresscity" | "mailingcity" | "businesscity" => Target::City,
        "region"
        | "province"
        | "state"
        | "stateprovince"
        | "provincestate"
        | "county"
        | "etat"
        | "departement"
        | "prov"
        | "stateregion"
        | "addressregion"
        | "mailingstate"
        | "mailingstateprovince"
        | "businessstate" => Target::Region,
        "postalcode"
        | "postal"
        | "postcode"
        | "zip"
        | "zipcode"
        | "zippostalcode"
        | "postalzip"
        | "codepostal"
        | "cp"
        | "addresspostalcode"
        | "mailingpostalcode"
        | "mailingzippostalcode"
        | "businesspostalcode" => Target::PostalCode,
        "country" | "countrycode" | "nation" | "pays" | "codepays" | "countryregion" | "addresscountry" | "mailingcountry" | "businesscountryregion" => Target::Country,
        "timezone" | "tz" | "fuseauhoraire" | "fuseau" => Target::TimeZone,
        "source" | "leadsource" | "leadorigin" | "origin" | "origine" | "provenance" | "sourcedulead" => Target::Source,
        "assignto" | "assignedto" | "assignee" | "assigneeemail" | "assignedagent" | "owner" | "owneremail" | "contactowner" | "leadowner" | "agent" | "agentemail"
        | "rep" | "salesrep" | "representative" | "assignea" | "assigne" | "attribuea" | "responsable" | "conseiller" | "conseillere" | "representant" => {
            Target::AssignTo
        }
        "team" | "teamname" | "equipe" | "nomdelequipe" => Target::Team,
        "statuscode" | "status" | "leadstatus" | "contactstatus" | "statut" | "statutdulead" | "statutducontact" => Target::StatusCode,
        "nextcontactat" | "nextcontact" | "nextcontactdate" | "nextcall" | "nextcalldate" | "callback" | "callbackdate" | "followup" | "followupdate"
        | "prochaincontact" | "prochainappel" | "rappel" | "datederappel" => Target::NextContactAt,
        "donotcall" | "dnc" | "dncl" | "nepasappeler" | "lnnte" => Target::DoNotCall,
        "employeeid" | "employeenumber" | "employeeno" | "matricule" | "numerodemploye" | "noemploye" | "nodemploye" | "ndemploye" => Target::EmployeeId,
        "role" => Target::Role,
        "reason" | "raison" | "motif" => Target::Reason,
        "listedat" | "listeddate" | "datelisted" | "dateadded" | "registrationdate" | "dateinscription" | "datedinscription" => Target::ListedAt,
        _ => return None,
    })
}

/// Whether rows have names of this field as values: people own things, and a list of staff says who is an agent.
pub(super) fn is_also_a_value(target: &Target) -> bool {
    matches!(
        target,
        Target::AssignTo
            | Target::Team
            | Target::StatusCode
            | Target::NextContactAt
            | Target::DoNotCall
            | Target::EmployeeId
            | Target::Role
            | Target::Reason
            | Target::ListedAt
    )
}

/// Whether a name in folded letters is one of the words for tags, which are kept together as the attribute `tags`.
pub(super) fn is_of_tags(folded: &str) -> bool {
    matches!(folded, "tags" | "tag" | "labels" | "label" | "etiquettes" | "etiquette" | "motscles" | "motcle")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::fold_alphanumeric;

    fn known(column: &str, kind: ImportKind) -> Option<Target> {
        known_as(&fold_alphanumeric(column), kind)
    }

    #[test]
    fn a_field_of_another_kind_of_import_is_not_known() {
        for (column, kind) in [
            ("Matricule", ImportKind::Contacts),
            ("Motif", ImportKind::Contacts),
            ("phone", ImportKind::Agents),
            ("Owner", ImportKind::Agents),
            ("team", ImportKind::Suppressions),
            ("name", ImportKind::Suppressions),
        ] {
            assert_eq!(known(column, kind), None, "{column}");
        }
    }

    #[test]
    fn whose_what_and_when_are_known_in_both_languages() {
        let names: [(Target, &[&str]); 5] = [
            (Target::AssignTo, &["Assigned to", "Owner", "agent", "Rep", "Assigné à", "Responsable", "Conseiller", "assignTo"]),
            (Target::Team, &["Team", "Équipe"]),
            (Target::StatusCode, &["Status", "Lead Status", "Statut", "statusCode"]),
            (Target::NextContactAt, &["Next contact", "next call", "Callback date", "Follow-up", "Follow up date", "Prochain contact", "Rappel", "Date de rappel"]),
            (Target::DoNotCall, &["Do not call", "DNC", "DNCL", "Ne pas appeler", "LNNTE", "doNotCall"]),
        ];
        for (target, columns) in names {
            for column in columns {
                assert_eq!(known(column, ImportKind::Contacts), Some(target.clone()), "{column}");
            }
        }
    }

    #[test]
    fn a_list_of_staff_and_one_of_numbers_have_names_of_their_own() {
        let of_staff: [(Target, &[&str]); 5] = [
            (Target::Name, &["Agent", "Employee", "Nom de l'agent", "Nom"]),
            (Target::Email, &["Agent email", "Work email", "Courriel"]),
            (Target::EmployeeId, &["Employee ID", "Matricule", "Numéro d'employé", "N° d'employé"]),
            (Target::Role, &["Role", "Rôle"]),
            (Target::Team, &["Équipe"]),
        ];
        for (target, columns) in of_staff {
            for column in columns {
                assert_eq!(known(column, ImportKind::Agents), Some(target.clone()), "{column}");
            }
        }
        let of_numbers: [(Target, &[&str]); 4] = [
            (Target::Phone, &["Number", "Téléphone"]),
            (Target::Reason, &["Reason", "Raison", "Motif"]),
            (Target::ListedAt, &["Listed at", "Listed date", "Date added", "Date d'inscription", "Date"]),
            (Target::Source, &["Provenance"]),
        ];
        for (target, columns) in of_numbers {
            for column in columns {
                assert_eq!(known(column, ImportKind::Suppressions), Some(target.clone()), "{column}");
            }
        }
    }

    #[test]
    fn words_for_tags_are_one() {
        for column in ["Tags", "tag", "Labels", "Étiquettes", "Mots-clés"] {
            assert!(is_of_tags(&fold_alphanumeric(column)), "{column}");
        }
        assert!(!is_of_tags("tagline"));
    }
}
