SELECT CONCAT('{"id":', "bookshop_publisher"."id",
  ',"name":', to_json("bookshop_publisher"."name"), '}') AS "json_"
FROM "bookshop_publisher"
WHERE "bookshop_publisher"."id" = ANY(ARRAY(SELECT "bookshop_publisher"."id" AS "pk_"
    FROM "bookshop_publisher"
    ORDER BY "bookshop_publisher"."id" DESC
    LIMIT %s::bigint OFFSET %s::bigint))
ORDER BY "bookshop_publisher"."id" DESC
-- {0} {1}
