"""Names the People API knows; the tests hold them against Google's discovery document."""

# Fields a mask may ask for.
READ_FIELDS = """
    addresses ageRanges biographies birthdays calendarUrls clientData coverPhotos emailAddresses events
    externalIds genders imClients interests locales locations memberships metadata miscKeywords names
    nicknames occupations organizations phoneNumbers photos relations sipAddresses skills urls userDefined
""".split()

# Fields an update mask may name.
UPDATE_FIELDS = """
    addresses biographies birthdays calendarUrls clientData emailAddresses events externalIds genders
    imClients interests locales locations memberships miscKeywords names nicknames occupations organizations
    phoneNumbers relations sipAddresses urls userDefined
""".split()

# What the entries of each field may carry besides `metadata`.
ENTRIES = {
    "addresses": (
        "city country countryCode extendedAddress formattedType formattedValue poBox postalCode "
        "region streetAddress type"),
    "ageRanges": "ageRange",
    "biographies": "contentType value",
    "birthdays": "date text",
    "braggingRights": "value",
    "calendarUrls": "formattedType type url",
    "clientData": "key value",
    "coverPhotos": "default url",
    "emailAddresses": "displayName formattedType type value",
    "events": "date formattedType type",
    "externalIds": "formattedType type value",
    "fileAses": "value",
    "genders": "addressMeAs formattedValue value",
    "imClients": "formattedProtocol formattedType protocol type username",
    "interests": "value",
    "locales": "value",
    "locations": "buildingId current deskCode floor floorSection type value",
    "memberships": "contactGroupMembership domainMembership",
    "miscKeywords": "formattedType type value",
    "names": (
        "displayName displayNameLastFirst familyName givenName honorificPrefix honorificSuffix "
        "middleName phoneticFamilyName phoneticFullName phoneticGivenName phoneticHonorificPrefix "
        "phoneticHonorificSuffix phoneticMiddleName unstructuredName"),
    "nicknames": "type value",
    "occupations": "value",
    "organizations": (
        "costCenter current department domain endDate formattedType fullTimeEquivalentMillipercent "
        "jobDescription location name phoneticName startDate symbol title type"),
    "phoneNumbers": "canonicalForm formattedType type value",
    "photos": "default url",
    "relations": "formattedType person type",
    "relationshipInterests": "formattedValue value",
    "relationshipStatuses": "formattedValue value",
    "residences": "current value",
    "sipAddresses": "formattedType type value",
    "skills": "value",
    "taglines": "value",
    "urls": "formattedType type value",
    "userDefined": "key value",
}

# The other members of a person.
PERSON_REST = """
    ageRange etag metadata resourceName
""".split()

# At most one entry each.
SINGLETONS = ("biographies", "birthdays", "genders", "names")

GROUP_FIELDS = ("clientData", "groupType", "memberCount", "metadata", "name")

# Query parameters every method takes.
COMMON_QUERY = set("""
    $.xgafv access_token alt callback fields key oauth_token prettyPrint quotaUser uploadType upload_protocol
""".split())
