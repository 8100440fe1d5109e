SELECT CONCAT('{"fee":', COALESCE('"' || ("bookshop_bill"."fee" / 100.0)::numeric(20, 2) || '"', 'null'), '}') AS "json_"
FROM "bookshop_bill"
WHERE "bookshop_bill"."id" = ANY(ARRAY(SELECT "bookshop_bill"."id" AS "pk_"
    FROM "bookshop_bill"
    ORDER BY "bookshop_bill"."id" DESC
    LIMIT %s::bigint OFFSET %s::bigint))
ORDER BY "bookshop_bill"."id" DESC
-- {0} {1}
