SELECT CONCAT('{"double_price":', COALESCE('"' || (round(("bookshop_book"."price" * %s), 2) - CASE
      WHEN abs(mod(("bookshop_book"."price" * %s) * 1e2, 2)) = 0.5 THEN sign(("bookshop_book"."price" * %s)) * 1e-2
      ELSE 0 END) || '"', 'null'), '}') AS "json_"
FROM "bookshop_book"
WHERE "bookshop_book"."id" = ANY(ARRAY(SELECT "bookshop_book"."id" AS "pk_"
    FROM "bookshop_book"
    ORDER BY "bookshop_book"."id" DESC
    LIMIT %s::bigint OFFSET %s::bigint))
ORDER BY "bookshop_book"."id" DESC
-- 2 2 2 {0} {1}
