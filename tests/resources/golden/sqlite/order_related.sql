SELECT ('{"id":' || "bookshop_book"."id" || '}') AS "json_"
FROM "bookshop_book"
LEFT OUTER JOIN "bookshop_publisher" ON ("bookshop_book"."publisher_id" = "bookshop_publisher"."id")
WHERE "bookshop_book"."id" IN (SELECT "bookshop_book"."id" AS "pk_"
  FROM "bookshop_book"
  LEFT OUTER JOIN "bookshop_publisher" ON ("bookshop_book"."publisher_id" = "bookshop_publisher"."id")
  ORDER BY "bookshop_publisher"."name" ASC NULLS LAST, "bookshop_book"."pages" DESC NULLS FIRST, "bookshop_book"."id" DESC
  LIMIT %s OFFSET %s)
ORDER BY "bookshop_publisher"."name" ASC NULLS LAST, "bookshop_book"."pages" DESC NULLS FIRST, "bookshop_book"."id" DESC
-- {0} {1}
