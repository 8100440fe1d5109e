SELECT CONCAT('{"book":{"third":', (SELECT COALESCE('"' || (round(ROUND((U0."price" * %s), %s), 4) - CASE
        WHEN abs(mod(ROUND((U0."price" * %s), %s) * 1e4, 2)) = 0.5 THEN sign(ROUND((U0."price" * %s), %s)) * 1e-4
        ELSE 0 END) || '"', 'null') AS "jsonvalue1"
    FROM "bookshop_book" U0
    WHERE U0."id" = ("bookshop_edition"."book_id")), '}}') AS "json_"
FROM "bookshop_edition"
WHERE "bookshop_edition"."id" = ANY(ARRAY(SELECT "bookshop_edition"."id" AS "pk_"
    FROM "bookshop_edition"
    ORDER BY "bookshop_edition"."id" DESC
    LIMIT %s::bigint OFFSET %s::bigint))
ORDER BY "bookshop_edition"."id" DESC
-- 0.3333 4 0.3333 4 0.3333 4 {0} {1}
