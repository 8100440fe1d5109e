SELECT ('{"id":' || "bookshop_bill"."id" || '}') AS "json_"
FROM "bookshop_bill"
WHERE "bookshop_bill"."id" IN (SELECT "bookshop_bill"."id" AS "pk_"
  FROM "bookshop_bill"
  WHERE "bookshop_bill"."fee" >= %s
  ORDER BY "bookshop_bill"."fee" ASC NULLS LAST, "bookshop_bill"."id" ASC
  LIMIT %s OFFSET %s)
ORDER BY "bookshop_bill"."fee" ASC NULLS LAST, "bookshop_bill"."id" ASC
-- {0} {1} {2}
