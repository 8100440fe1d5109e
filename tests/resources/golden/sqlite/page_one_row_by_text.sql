SELECT ('{"name":' || json_quote("bookshop_country"."name") || '}') AS "json_"
FROM "bookshop_country"
WHERE "bookshop_country"."code" = %s
-- {0}
