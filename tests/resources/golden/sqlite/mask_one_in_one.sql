SELECT ('{"publisher":' || CASE
  WHEN "bookshop_book"."publisher_id" IS NULL THEN 'null'
  ELSE ('{"country":' || CASE
    WHEN "bookshop_publisher"."country_id" IS NULL THEN 'null'
    ELSE ('{"name":' || json_quote("bookshop_country"."name") || '}') END || '}') END || '}') AS "json_"
FROM "bookshop_book"
LEFT OUTER JOIN "bookshop_publisher" ON ("bookshop_book"."publisher_id" = "bookshop_publisher"."id")
LEFT OUTER JOIN "bookshop_country" ON ("bookshop_publisher"."country_id" = "bookshop_country"."code")
WHERE "bookshop_book"."id" IN (SELECT "bookshop_book"."id" AS "pk_"
  FROM "bookshop_book"
  ORDER BY "bookshop_book"."id" DESC
  LIMIT %s OFFSET %s)
ORDER BY "bookshop_book"."id" DESC
-- {0} {1}
