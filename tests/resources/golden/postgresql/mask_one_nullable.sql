SELECT CONCAT('{"id":', "bookshop_book"."id",
  ',"publisher":', CASE
  WHEN "bookshop_book"."publisher_id" IS NULL THEN 'null'
  ELSE CONCAT('{"id":', "bookshop_book"."publisher_id",
    ',"name":', to_json("bookshop_publisher"."name"), '}') END, '}') AS "json_"
FROM "bookshop_book"
LEFT OUTER JOIN "bookshop_publisher" ON ("bookshop_book"."publisher_id" = "bookshop_publisher"."id")
WHERE "bookshop_book"."id" = ANY(ARRAY(SELECT "bookshop_book"."id" AS "pk_"
    FROM "bookshop_book"
    ORDER BY "bookshop_book"."id" DESC
    LIMIT %s::bigint OFFSET %s::bigint))
ORDER BY "bookshop_book"."id" DESC
-- {0} {1}
