SELECT CONCAT('{"name":', to_json("bookshop_country"."name"), '}') AS "json_"
FROM "bookshop_country"
WHERE "bookshop_country"."code" = %s::text
-- {0}
